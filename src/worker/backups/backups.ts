/**
 * The backups of one agent, as its Durable Object keeps them. Fails closed: only the sandbox that
 * claimed last may append, only on top of the newest generation; nothing here deletes or replaces a
 * pack for a sandbox; and what could not be read is an error, never an empty state.
 */
import type { RestorePlan } from "../../protocol/backup.ts";
import { commit, placeOfPack, reserve, stale } from "./append.ts";
import type { BackupAnswer, BackupCall } from "./calls.ts";
import { mayRestoreTo, mayStartAfresh, restoreTo, startAfresh } from "./decisions.ts";
import { Drilling } from "./drilling.ts";
import { Imports, planOf as importPlanOf } from "./imports.ts";
import { Ledger, refuse, type Answer, type Refused } from "./ledger.ts";
import { listed, shown } from "./listing.ts";
import { hasOtherRecipient, headOf, type GenerationEntry } from "./manifest.ts";
import { forget, recall, remember } from "./memory.ts";
import { takeOutcome } from "./outcomes.ts";
import { planFor, planTo, type ContentPlan } from "./plans.ts";
import { placeToRead } from "./reads.ts";
import type { BackupsParts, BackupsRoom } from "./room.ts";

export interface Claimed {
  /** Content of the newest generation is not encrypted to the present key. */
  rewrite: boolean;
}

export class Backups {
  readonly #room: BackupsRoom;
  readonly #drilling: Drilling;
  readonly imports: Imports;

  constructor(parts: BackupsParts) {
    const ledger = new Ledger(parts);
    this.#room = { ...parts, ledger, later: (work) => void this.#told(work) };
    this.#drilling = new Drilling(this.#room);
    // Whoever drilled before this object began waits for no answer any more.
    this.#drilling.close();
    const { agentId, bucket, notebook, changed } = parts;
    const imported = async (): Promise<Answer<readonly string[]>> => {
      const current = await ledger.read(false);
      return current.ok ? { ok: true, value: current.value.imported } : current;
    };
    this.imports = new Imports({ agentId, bucket, notebook, imported, changed });
  }

  /**
   * Makes the sandbox of `start` the only one that may commit, and opens the restore. Asks the
   * bucket itself, so that a start begins with what is there and not with what was remembered.
   */
  async claim(start: number): Promise<Answer<Claimed>> {
    const { notebook, ledger, keys } = this.#room;
    const known = recall(notebook);
    if (known.claim !== undefined && known.claim.start > start) return stale(start);
    const fresh = await ledger.read(true);
    if (!fresh.ok) return this.#failed(fresh);
    const plan = await planFor(this.#room, headOf(fresh.value));
    if (!plan.ok) return this.#failed(plan);
    const epoch = await ledger.change<number>((current) => {
      const next = { ...current, epoch: current.epoch + 1 };
      return { do: "write", next, value: next.epoch };
    });
    if (!epoch.ok) return this.#failed(epoch);
    remember(notebook, { claim: { start, epoch: epoch.value }, open: "restore" });
    forget(notebook, "failure");
    const recipient = (await keys())?.recipient;
    return { ok: true, value: { rewrite: hasOtherRecipient(fresh.value, recipient) } };
  }

  /** A call of the sandbox whose token has been checked. */
  async answer(start: number, call: BackupCall): Promise<BackupAnswer> {
    const { notebook } = this.#room;
    if (recall(notebook).claim?.start !== start) return stale(start);
    const answer = await this.#perform(start, call);
    if (!answer.ok) return this.#failed(answer);
    if (call.call === "commit") forget(notebook, "failure");
    return answer;
  }

  async #perform(start: number, call: BackupCall): Promise<BackupAnswer> {
    switch (call.call) {
      case "plan":
        return this.#plan();
      case "outcome":
        return takeOutcome(this.#room, start, call.outcome);
      case "reserve":
        return reserve(this.#room);
      case "store-pack":
        return placeOfPack(this.#room, call.pack, call.size);
      case "read-pack":
        return placeToRead(this.#room, call.pack);
      case "import-plan":
        return this.#importPlan();
      case "import-part":
        return this.#importPart(call.part);
      case "import-refused":
        this.imports.refused(call.outcome.id, call.outcome.problem);
        return { ok: true, value: {} };
      case "commit": {
        const { generation, request } = call;
        const committed = await commit(this.#room, start, generation, request);
        if (committed.ok && request.imported !== undefined) {
          await this.imports.done(request.imported);
        }
        return committed;
      }
    }
  }

  async #plan(): Promise<Answer<RestorePlan>> {
    const current = await this.#room.ledger.read(false);
    return current.ok ? planFor(this.#room, headOf(current.value)) : current;
  }

  async #importPlan(): Promise<BackupAnswer> {
    const waiting = await this.imports.waiting();
    return waiting.ok ? { ok: true, value: importPlanOf(waiting.value) } : waiting;
  }

  async #importPart(part: number): Promise<BackupAnswer> {
    const waiting = await this.imports.waiting();
    if (!waiting.ok) return waiting;
    const piece = waiting.value?.pieces[part];
    if (piece === undefined) return refuse("missing", `no import waits that has a part ${part}`);
    return { ok: true, value: piece };
  }

  /** @see listed */
  list(): Promise<Answer<GenerationEntry[]>> {
    return listed(this.#room);
  }

  /** @see shown */
  shown(): Promise<Answer<GenerationEntry[]>> {
    return shown(this.#room);
  }

  /** @see mayRestoreTo */
  mayRestoreTo(n: number): Promise<Answer<undefined>> {
    return mayRestoreTo(this.#room, n);
  }

  /** @see mayStartAfresh */
  mayStartAfresh(): Promise<Answer<undefined>> {
    return mayStartAfresh(this.#room);
  }

  /** @see restoreTo */
  restoreTo(n: number): Promise<Answer<number>> {
    return restoreTo(this.#room, n);
  }

  /** @see startAfresh */
  startAfresh(): Promise<Answer<number>> {
    return startAfresh(this.#room);
  }

  /** What a restore of `n`, or of the newest, reads. */
  planTo(n?: number): Promise<Answer<ContentPlan>> {
    return planTo(this.#room, n);
  }

  /** Lets the claimed sandbox read packs for a drill; answers what it should restore. */
  openDrill(n?: number): Promise<Answer<RestorePlan>> {
    return this.#drilling.open(n);
  }

  closeDrill(): void {
    this.#drilling.close();
  }

  /** Deletes what the policy no longer keeps; `closed` while a drill is open. */
  prune(): Promise<Answer<{ removed: number; packs: number }>> {
    return this.#drilling.prune();
  }

  /** When a restore of what was the newest generation last worked; 0 for never. */
  get newestVerifiedAt(): number {
    return recall(this.#room.notebook).newestVerifiedAt ?? 0;
  }

  /** What every surface may say without asking the bucket. */
  summary(): {
    lastGeneration: number;
    lastAt?: number;
    verifiedAt?: number;
    prunedAt?: number;
    failure?: { at: number; message: string };
  } {
    const { lastGeneration, lastAt, verifiedAt, prunedAt, failure } = recall(this.#room.notebook);
    return {
      lastGeneration,
      ...(lastAt === undefined ? {} : { lastAt }),
      ...(verifiedAt === undefined ? {} : { verifiedAt }),
      ...(prunedAt === undefined ? {} : { prunedAt }),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  async #told(work: Promise<Answer<unknown>>): Promise<void> {
    try {
      const answer = await work;
      if (!answer.ok) this.#failed(answer);
    } catch (error) {
      this.#failed(refuse("store", error instanceof Error ? error.message : String(error)));
    }
  }

  #failed(refused: Refused): Refused {
    const { notebook, now } = this.#room;
    const message = `${refused.reason}: ${refused.message}`.slice(0, 1000);
    remember(notebook, { failure: { at: now(), message } });
    return refused;
  }
}
