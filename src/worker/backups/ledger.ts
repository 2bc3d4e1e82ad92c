/**
 * The manifest in the bucket. Fails closed: one that cannot be read, is older than what this agent
 * is known to have committed, or is gone, is a fault, never an empty history.
 *
 * Changes are made one at a time, by compare-and-swap, and not more often than the bucket takes
 * writes to one name.
 */
import type { BackupRefusal } from "../../protocol/backup.ts";
import { ABSENT, listAll, readText, write, type BackupBucket } from "./bucket.ts";
import { manifestKey, packsPrefix, pageKey } from "./keys.ts";
import {
  emptyManifest,
  headNumber,
  headOf,
  marked,
  pageContent,
  parseManifest,
  spill,
  withPage,
  type GenerationEntry,
  type Manifest,
} from "./manifest.ts";
import { recall, remember, type Notebook } from "./memory.ts";
import { notePruning } from "./pruning-notes.ts";

export type Refused = { ok: false } & BackupRefusal;
export type Answer<T> = { ok: true; value: T } | Refused;

/** What a change comes to: the next manifest, or why not. `same` leaves the bucket as it is. */
export type Change<T> =
  | { do: "write"; next: Manifest; value: T }
  | { do: "same"; value: T }
  | { do: "refuse"; refusal: Refused };

interface Held {
  manifest: Manifest;
  /** Undefined when the bucket provably holds no manifest and no pack. */
  etag: string | undefined;
}

export interface LedgerParts {
  agentId: string;
  bucket: BackupBucket;
  notebook: Notebook;
  now: () => number;
  wait: (ms: number) => Promise<void>;
  /** Least milliseconds between two writes of the manifest. */
  writeIntervalMs: number;
  changed: () => void;
}

const TRIES = 3;

export function refuse(
  reason: BackupRefusal["reason"],
  message: string,
  retryAfterMs?: number,
): Refused {
  const after = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { ok: false, reason, message, ...after };
}

export class Ledger {
  private readonly parts: LedgerParts;
  private held: Held | undefined;
  /** Counts reads and writes: an answer that was on its way while a newer one came in is not kept. */
  private asked = 0;
  /** What `asked` was for the newest answer. */
  private heldOf = 0;
  private turn: Promise<unknown> = Promise.resolve();
  private writtenAt = 0;

  constructor(parts: LedgerParts) {
    this.parts = parts;
  }

  /** The manifest as last read or written here; `fresh` asks the bucket. */
  async read(fresh: boolean): Promise<Answer<Manifest>> {
    const held = await this.load(fresh);
    return held.ok ? { ok: true, value: held.value.manifest } : held;
  }

  /** Every generation there is, oldest first. */
  async entries(current: Manifest): Promise<Answer<GenerationEntry[]>> {
    const pages = await Promise.all(current.pages.map((page) => this.page(page.key)));
    const all: GenerationEntry[] = [];
    for (const page of pages) {
      if (!page.ok) return page;
      for (const entry of page.value) {
        const mark = current.marks[entry.n];
        all.push(mark === undefined ? entry : marked(entry, mark));
      }
    }
    return { ok: true, value: [...all, ...current.recent] };
  }

  /** Runs `decide` on the newest manifest and writes what it says, alone and atomically. */
  change<T>(decide: (current: Manifest) => Change<T> | Promise<Change<T>>): Promise<Answer<T>> {
    const mine = this.turn.then(() => this.changeAlone(decide));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private async changeAlone<T>(
    decide: (current: Manifest) => Change<T> | Promise<Change<T>>,
  ): Promise<Answer<T>> {
    for (let i = 0; i < TRIES; i++) {
      const remembered = i === 0 && this.held !== undefined;
      const held = await this.load(i > 0);
      if (!held.ok) return held;
      const change = await decide(held.value.manifest);
      // What is remembered may be old, and a refusal can end what a sandbox may do for good.
      if (change.do === "refuse" && remembered) continue;
      if (change.do === "refuse") return change.refusal;
      if (change.do === "same") return { ok: true, value: change.value };
      const written = await this.store(change.next, held.value);
      if (!written.ok) return written;
      if (written.value) return { ok: true, value: change.value };
    }
    return refuse("store", "the manifest changed under every attempt to write it");
  }

  /** False when somebody else wrote in between. */
  private async store(next: Manifest, { manifest, etag }: Held): Promise<Answer<boolean>> {
    const { agentId, bucket, notebook, now, wait, writeIntervalMs } = this.parts;
    const { keep, move } = spill(next);
    let final = keep;
    if (move.length > 0) {
      const key = pageKey(agentId, move[0]?.n ?? 0, move.at(-1)?.n ?? 0, crypto.randomUUID());
      const page = await write(bucket, key, JSON.stringify({ entries: move }), { onlyIf: ABSENT });
      if (!page.ok) return page;
      final = withPage(keep, key, move);
    }
    const early = this.writtenAt + writeIntervalMs - now();
    if (early > 0) await wait(Math.min(early, writeIntervalMs));
    this.held = undefined;
    this.writtenAt = now();
    const onlyIf = etag === undefined ? ABSENT : { etagMatches: etag };
    const text = JSON.stringify(final);
    const written = await write(bucket, manifestKey(agentId), text, { onlyIf });
    // Whatever was read meanwhile may be what this write replaces.
    this.held = undefined;
    this.heldOf = ++this.asked;
    if (!written.ok) return written;
    if (written.value === undefined) return { ok: true, value: false };
    this.held = { manifest: final, etag: written.value.etag };
    if (final.epoch > manifest.epoch) notePruning(notebook, { epoch: final.epoch });
    const head = headOf(final);
    remember(notebook, {
      lastGeneration: head?.n ?? 0,
      ...(head === undefined ? {} : { lastAt: head.at }),
    });
    this.parts.changed();
    return { ok: true, value: true };
  }

  private async load(fresh: boolean): Promise<Answer<Held>> {
    if (this.held !== undefined && !fresh) return { ok: true, value: this.held };
    const { agentId, bucket, notebook } = this.parts;
    const known = recall(notebook);
    const asked = ++this.asked;
    const found = await readText(bucket, manifestKey(agentId));
    if (!found.ok) return found;
    const newer = this.newerThan(asked);
    if (newer !== undefined) return { ok: true, value: newer };
    if (found.value === undefined) {
      if (known.lastGeneration > 0 || known.claim !== undefined) {
        return refuse(
          "store",
          `the bucket says that ${manifestKey(agentId)} does not exist, but generation ` +
            `${known.lastGeneration} was committed`,
        );
      }
      const packs = await listAll(bucket, packsPrefix(agentId));
      if (!packs.ok) return packs;
      const first = this.newerThan(asked);
      if (first !== undefined) return { ok: true, value: first };
      if (packs.value.length > 0) {
        return refuse(
          "corrupt",
          `${manifestKey(agentId)} does not exist, but ${packs.value.length} packs do`,
        );
      }
      return { ok: true, value: { manifest: emptyManifest(agentId), etag: undefined } };
    }
    const manifest = parseManifest(found.value.text, agentId);
    if (manifest === undefined) {
      return refuse("corrupt", `${manifestKey(agentId)} is not a manifest of this agent`);
    }
    if (headNumber(manifest) < known.lastGeneration || manifest.epoch < (known.claim?.epoch ?? 0)) {
      return refuse(
        "store",
        `the bucket gave an old manifest: generation ${headNumber(manifest)}, though ` +
          `${known.lastGeneration} was committed`,
      );
    }
    const held = { manifest, etag: found.value.etag };
    if (asked > this.heldOf) {
      this.held = held;
      this.heldOf = asked;
    }
    return { ok: true, value: held };
  }

  /** What came in since a read began that was counted as `asked`. */
  private newerThan(asked: number): Held | undefined {
    return this.heldOf > asked ? this.held : undefined;
  }

  private async page(key: string): Promise<Answer<GenerationEntry[]>> {
    const found = await readText(this.parts.bucket, key);
    if (!found.ok) return found;
    if (found.value === undefined) return refuse("corrupt", `${key} is gone`);
    try {
      return { ok: true, value: pageContent.parse(JSON.parse(found.value.text)).entries };
    } catch {
      return refuse("corrupt", `${key} is not an index page`);
    }
  }
}
