import type { BootDocument } from "../../protocol/boot.ts";
import type { SupervisorStatus } from "../../protocol/control.ts";
import type { Phase } from "../../protocol/phase.ts";
import { type Budget, messageOf } from "./budget.ts";
import type { ControlPort } from "./control.ts";
import { statusOfFound, stopFound } from "./found-sandbox.ts";
import { stopSandbox } from "./last-stop.ts";
import { advance, type Fault, isLive, isStarting, type Life, type LifeEvent } from "./lifecycle.ts";
import type { Sandbox } from "./sandbox.ts";
import { awaitReady, type StartParts, type StartResult, startSandbox } from "./start.ts";
import type { LifeStore } from "./store/life.ts";
import type { RecordStore } from "./store/records.ts";

export interface LifeParts {
  sandbox: Sandbox;
  control: ControlPort;
  store: LifeStore;
  records: RecordStore;
  budget: Budget;
  /** Makes and stores the control token of a generation, and the document that carries it. */
  document(startGeneration: number): BootDocument;
  claimBackups: StartParts["claimBackups"];
  /** A sandbox was stopped, and its last backup failed. */
  lost(reason: string): void;
  /** After each move and each status. */
  changed(): void;
}

/** Questions without an answer after which a sandbox that runs counts as failed. */
const UNANSWERED_LIMIT = 3;

interface Attempt {
  done: Promise<StartResult>;
  abort: AbortController;
}

/**
 * The one owner of an agent's phase. Every move goes through `#move`, which runs without a pause:
 * of a hundred requests at once the first makes the move and the others find it made.
 */
export class AgentLife {
  readonly #parts: LifeParts;
  #life: Life;
  #attempt: Attempt | undefined;
  #drained: Promise<void> | undefined;
  #unanswered = 0;
  /** Why the sandbox is being taken away: it ends of that, and how it ends says nothing. */
  #failing: { reason: string; blameless: boolean } | undefined;
  supervisor: SupervisorStatus | undefined;
  /** Why the latest stop could not keep the state. */
  lost: string | undefined;

  constructor(parts: LifeParts, life: Life) {
    this.#parts = parts;
    this.#life = life;
  }

  get life(): Life {
    return this.#life;
  }

  get phase(): Phase {
    return this.#life.phase;
  }

  /** The end under way, if there is one. */
  get ending(): Promise<void> | undefined {
    return this.#drained;
  }

  /** The shared start under way, if there is one. */
  get attempt(): Promise<StartResult> | undefined {
    return this.#attempt?.done;
  }

  /**
   * After a restart of the Durable Object: takes over the sandbox of the stored generation, and
   * destroys any other. What was under way is either followed on or counted as failed.
   *
   * @param atOnce a stop that was under way is not waited for
   */
  async adopt(atOnce = false): Promise<void> {
    const { sandbox, records } = this.#parts;
    const { phase, startGeneration } = this.#life;
    if (phase === "draining") {
      const parts = { ...this.#parts, ...this.#told };
      return this.#draining(atOnce ? undefined : () => stopFound(parts, startGeneration));
    }
    if (!sandbox.running) {
      if (isLive(phase)) this.#fault("The sandbox was gone after a restart of the Worker.", true);
      return;
    }
    sandbox.watch(this.#onExit(startGeneration));
    const booted = phase === "ready" || phase === "booting";
    const status = await statusOfFound(this.#parts, booted ? UNANSWERED_LIMIT : 1);
    if (!isLive(phase) || !status.ok || status.value.startGeneration !== startGeneration) {
      const reason = status.ok ? "it is not of the present start" : status.reason;
      return this.fail(
        `A sandbox found after a restart of the Worker was not taken over: ${reason}`,
        true,
      );
    }
    this.supervisor = status.value;
    const ready = status.value.gateway.state === "ready";
    if (!this.#move(ready ? "adopted-ready" : "adopted-starting")) {
      return this.fail("The start was interrupted by a restart of the Worker.", true);
    }
    records.note("adopted", `Took over the sandbox of start ${startGeneration}.`, Date.now());
    await sandbox.intercept(startGeneration);
    await sandbox.holdAwake();
    if (!ready)
      this.#begin((signal) => awaitReady({ ...this.#parts, signal, onStatus: this.#seen }));
  }

  /** Notices a sandbox that ended unseen. */
  reconcile(): void {
    if (this.phase !== "ready" || this.#parts.sandbox.running) return;
    const ended = this.#parts.sandbox.exit?.text ?? "The sandbox ended without being seen.";
    this.#fault(this.#failing?.reason ?? ended, this.#failing?.blameless);
  }

  /** The start that everybody shares: the one under way, or a new one. Who asks has waited for an `ending`. */
  async want(): Promise<StartResult> {
    if (this.phase === "ready") return { ok: true };
    if (this.#attempt !== undefined) return this.#attempt.done;
    if (!this.#move("wanted")) return { ok: false, reason: `The agent is ${this.phase}.` };
    const generation = this.#life.startGeneration;
    const document = this.#parts.document(generation);
    this.supervisor = undefined;
    this.#unanswered = 0;
    this.#failing = undefined;
    return this.#begin((signal) =>
      startSandbox({
        ...this.#parts,
        document,
        signal,
        reached: (step) => this.#move(step),
        onStatus: this.#seen,
        onExit: this.#onExit(generation),
      }),
    );
  }

  /**
   * Stops: turns under way may end, then the sandbox is destroyed. What must be saved of a sandbox
   * is saved between the two.
   *
   * @param atOnce destroys the sandbox without asking the gateway first
   */
  drain(atOnce = false): Promise<void> {
    if (this.#drained !== undefined) {
      if (atOnce) return this.#parts.sandbox.destroy().then(() => this.#drained);
      return this.#drained;
    }
    const asked = !atOnce && isLive(this.phase) && this.#parts.sandbox.running;
    if (!this.#move("drain")) return Promise.resolve();
    this.#attempt?.abort.abort();
    const booted = this.supervisor !== undefined;
    const parts = { ...this.#parts, ...this.#told };
    return this.#draining(asked ? () => stopSandbox(parts, booted) : undefined);
  }

  /** Counts a failure of a live agent and takes its sandbox away. */
  async fail(reason: string, blameless = false): Promise<void> {
    const generation = this.#life.startGeneration;
    this.#failing ??= { reason, blameless };
    const destroyed = await this.#parts.sandbox.destroy();
    if (generation !== this.#life.startGeneration) return;
    this.#fault(destroyed.ok ? reason : `${reason} ${destroyed.reason}`, blameless);
  }

  /** A status the supervisor reported, or answered to a poll. */
  observe(status: SupervisorStatus): void {
    if (status.startGeneration !== this.#life.startGeneration) return;
    this.#seen(status);
    if (this.phase !== "ready" || status.gateway.state !== "failed") return;
    void this.fail(status.gateway.lastError ?? "The gateway failed.");
  }

  /** Asks a ready sandbox how it is; one that does not answer for long has failed. */
  async poll(): Promise<void> {
    if (this.phase !== "ready") return;
    const status = await this.#parts.control.status();
    if (status.ok) {
      this.#unanswered = 0;
      return this.observe(status.value);
    }
    this.#unanswered += 1;
    if (this.#unanswered >= UNANSWERED_LIMIT) await this.fail(status.reason);
  }

  get unanswered(): boolean {
    return this.#unanswered > 0;
  }

  #begin(run: (signal: AbortSignal) => Promise<StartResult>): Promise<StartResult> {
    const abort = new AbortController();
    const done = run(abort.signal)
      .catch((error: unknown): StartResult => ({ ok: false, reason: messageOf(error) }))
      .then(async (result) => {
        if (abort.signal.aborted) return { ok: false as const, reason: "The agent was stopped." };
        if (result.ok) this.#move("gateway-ready");
        else await this.fail(result.reason);
        return result;
      })
      .finally(() => {
        if (this.#attempt?.abort === abort) this.#attempt = undefined;
      });
    this.#attempt = { done, abort };
    return done;
  }

  #draining(stop: (() => Promise<string | undefined>) | undefined): Promise<void> {
    this.#drained = this.#end(stop).finally(() => {
      this.#drained = undefined;
    });
    return this.#drained;
  }

  async #end(stop: (() => Promise<string | undefined>) | undefined): Promise<void> {
    const { sandbox, lost } = this.#parts;
    this.lost = await stop?.();
    if (this.lost !== undefined) lost(this.lost);
    const destroyed = await sandbox.destroy();
    if (!destroyed.ok) this.#note(destroyed.reason);
    // A start that was called off ends at its next step, which may be the platform's own start.
    await this.#attempt?.done;
    await sandbox.destroy();
    this.supervisor = undefined;
    this.#move("gone");
  }

  readonly #seen = (status: SupervisorStatus): void => {
    this.supervisor = status;
    this.#parts.changed();
  };

  #onExit(generation: number): () => void {
    return () => {
      if (generation !== this.#life.startGeneration) return;
      const { exit } = this.#parts.sandbox;
      const unasked = isLive(this.phase) && this.phase !== "draining" && !this.#failing;
      if (exit !== undefined && unasked) {
        this.#parts.records.note("sandbox-exit", exit.text, Date.now());
      }
      // A start under way notices by itself and knows more about the reason.
      if (!isStarting(this.phase)) this.reconcile();
    };
  }

  #fault(error: string, blameless = false): boolean {
    this.supervisor = undefined;
    return this.#move("fault", { error, retry: this.#parts.budget.retry, blameless });
  }

  #move(event: LifeEvent, fault?: Fault): boolean {
    const { store, changed } = this.#parts;
    const after = advance(this.#life, event, Date.now(), fault);
    if (after === undefined) return false;
    const before = this.#life;
    this.#life = after;
    store.move(before, after);
    if (before.phase !== after.phase) {
      this.#note(
        `${before.phase} → ${after.phase}${fault === undefined ? "" : `: ${fault.error}`}`,
      );
    }
    changed();
    return true;
  }

  #note(text: string): void {
    this.#parts.records.note("phase", text, Date.now());
  }

  get #told() {
    return { note: (text: string) => this.#note(text), seen: this.#seen };
  }
}
