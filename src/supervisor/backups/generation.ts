/** Makes one generation: what the reader finds changed goes into packs, the list closes the last. */
import { hash } from "node:crypto";
import type { BackupRefusal, FileList, Reason } from "../../protocol/backup.ts";
import { composeList, shapeProblem, sizeOfState, withSeal, type ListHead } from "./file-list.ts";
import { contentToFold, wholeContent } from "./fold.ts";
import type { Asked } from "./home.ts";
import type { HostClient } from "./host-client.ts";
import { Packing, RefusedError, RekeyedError } from "./packing.ts";
import { ReaderError, type ReaderClient, type Scanned } from "./reader-client.ts";

export type Made =
  | {
      ok: true;
      made: true;
      list: FileList;
      unkept: Scanned["unkept"];
      cpuMs: number;
      watching: boolean;
    }
  /** Nothing differs from the newest generation: nothing was written. */
  | { ok: true; made: false; unkept: Scanned["unkept"]; cpuMs: number; watching: boolean }
  | {
      ok: false;
      /**
       * `broken` is a state that cannot be kept; `hole` one that somebody can mend; `reader` may be found
       * otherwise at another try.
       */
      reason: BackupRefusal["reason"] | "reader" | "broken" | "hole" | "rekeyed";
      message: string;
      /** Of the other key, when it is that. */
      recipient?: string;
      retryAfterMs?: number | undefined;
      /** Present when the commit was asked for and no answer came: it may be in all the same. */
      unsure?: Unsure;
    };

/** A generation that may be in the bucket. */
export interface Unsure {
  list: FileList;
  listSha256: string;
}

export interface GenerationParts {
  agentId: string;
  host: HostClient;
  reader: ReaderClient;
  recipient: string | undefined;
  now: () => number;
  /** Told just before the commit is asked for: from then on the generation may be in. */
  announce?: (asked: Asked) => Promise<void>;
  /** The archive that the content comes from. */
  imported?: string;
  /** Brings all content again, whether it has changed or not. */
  rewrite?: boolean;
}

/** What the next generation builds on. */
export interface Base {
  /** Number of the newest generation, 0 when there is none. */
  generation: number;
  /** Its list; undefined when it is empty. */
  list: FileList | undefined;
}

export async function makeGeneration(
  parts: GenerationParts,
  base: Base,
  reason: Reason,
): Promise<Made> {
  let made: Made;
  try {
    made = await attempt(parts, base, reason);
  } catch (error) {
    made = notMade(error);
  }
  const generation = made.ok && made.made ? made.list.generation : undefined;
  await parts.reader.settle(made.ok, generation).catch(() => undefined);
  return made;
}

function notMade(error: unknown): Extract<Made, { ok: false }> {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RekeyedError) {
    return { ok: false, reason: "rekeyed", message, recipient: error.recipient };
  }
  if (error instanceof RefusedError) return refusedWith(error.refusal);
  return { ok: false, reason: error instanceof ReaderError ? error.what : "reader", message };
}

function refusedWith({
  reason,
  message,
  retryAfterMs,
}: BackupRefusal): Extract<Made, { ok: false }> {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { ok: false, reason, message, ...wait };
}

async function attempt(parts: GenerationParts, base: Base, reason: Reason): Promise<Made> {
  const { agentId, host, reader, recipient, imported } = parts;
  const packing = new Packing(host, recipient);
  const again = parts.rewrite === true ? wholeContent : contentToFold;
  const fold = base.list === undefined ? [] : again(base.list);
  const seen = await reader.scan(fold, (content, bytes) => packing.take(content, bytes));
  const { unkept, cpuMs, watching } = seen;
  if (!seen.changed && packing.placed.size === 0) {
    return { ok: true, made: false, unkept, cpuMs, watching };
  }
  const generation = await packing.number();
  const head = { agentId, generation, parent: base.generation, at: parts.now(), reason };
  const listed = await listOf(packing, head, seen, base.list);
  if ("problem" in listed) return { ok: false, reason: "reader", message: listed.problem };
  const { list, text } = listed;
  const last = await packing.close(text, head.at);
  const listSha256 = hash("sha256", text, "hex");
  // The pack that a list lies in has its seal in the next one.
  const known = withSeal(list, last, packing.seals[last]);
  await parts.announce?.({ generation, listSha256 });
  const committed = await host.commit(generation, {
    parent: base.generation,
    reason,
    packs: packing.packs,
    needs: list.packs,
    listSha256,
    ...(recipient === undefined ? {} : { recipient }),
    ...(imported === undefined ? {} : { imported }),
    files: list.files.length,
    bytes: sizeOfState(list),
    changes: {
      changed: packing.paths.size,
      removed: seen.removed,
      bytes: packing.brought,
      paths: [...packing.paths].slice(0, 5).map((path) => path.slice(0, 200)),
    },
  });
  if (!committed.ok) {
    const refused = refusedWith(committed);
    return committed.reason === "store"
      ? { ...refused, unsure: { list: known, listSha256 } }
      : refused;
  }
  return { ok: true, made: true, list: known, unkept, cpuMs, watching };
}

/** A large list gets a pack of its own. */
async function listOf(
  packing: Packing,
  head: ListHead,
  seen: Scanned,
  before: FileList | undefined,
): Promise<{ list: FileList; text: Buffer } | { problem: string }> {
  const composed = composeList(head, seen, before, packing);
  if (!composed.ok) return { problem: `no content for ${composed.path}` };
  const { list } = composed;
  const problem = shapeProblem(list);
  if (problem !== undefined) return { problem };
  // All of them: a pack may hold nothing but what was given up.
  for (const own of await packing.own()) if (!list.packs.includes(own)) list.packs.push(own);
  const text = Buffer.from(JSON.stringify(list));
  if (packing.hasRoomFor(text)) return { list, text };
  await packing.seal();
  return listOf(packing, head, seen, before);
}
