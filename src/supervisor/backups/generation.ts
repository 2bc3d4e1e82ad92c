/** Makes one generation: what the reader finds changed goes into packs, the list closes the last. */
import { hash } from "node:crypto";
import {
  LIST_ENTRY,
  PACK_TARGET_BYTES,
  type BackupRefusal,
  type FileList,
  type PackId,
  type Reason,
} from "../../protocol/backup.ts";
import {
  composeList,
  placeKey,
  shapeProblem,
  sizeOfState,
  withSeal,
  type Seals,
} from "./file-list.ts";
import { contentToFold, wholeContent } from "./fold.ts";
import type { Asked } from "./home.ts";
import type { HostClient } from "./host-client.ts";
import { entryName, sealPack, type PackEntry } from "./pack.ts";
import { ReaderError, type Content, type ReaderClient, type Scanned } from "./reader-client.ts";

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
      /** `broken` is a state that cannot be kept; `reader` may be found otherwise at another try. */
      reason: BackupRefusal["reason"] | "reader" | "broken";
      message: string;
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

class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly code = "refused";
  readonly refusal: BackupRefusal;
  readonly unsure: Unsure | undefined;
  constructor(refusal: BackupRefusal, unsure?: Unsure) {
    super(refusal.message);
    this.refusal = refusal;
    this.unsure = unsure;
  }
}

export async function makeGeneration(
  parts: GenerationParts,
  base: Base,
  reason: Reason,
): Promise<Made> {
  const attempt = new Attempt(parts, base, reason);
  let made: Made;
  try {
    made = await attempt.run();
  } catch (error) {
    made =
      error instanceof RefusedError
        ? refusedWith(error)
        : {
            ok: false,
            reason: error instanceof ReaderError && error.broken ? "broken" : "reader",
            message: error instanceof Error ? error.message : String(error),
          };
  }
  const generation = made.ok && made.made ? made.list.generation : undefined;
  await parts.reader.settle(made.ok, generation).catch(() => undefined);
  return made;
}

function refusedWith({ refusal, unsure }: RefusedError): Extract<Made, { ok: false }> {
  const { reason, message, retryAfterMs } = refusal;
  return {
    ok: false,
    ...{ reason, message },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(unsure === undefined ? {} : { unsure }),
  };
}

class Attempt {
  private readonly parts: GenerationParts;
  private readonly base: Base;
  private readonly reason: Reason;
  private number: number | undefined;
  private entries: PackEntry[] = [];
  private bytes = 0;
  private brought = 0;
  readonly placed = new Map<string, PackId>();
  readonly seals: Seals = {};
  private readonly paths = new Set<string>();
  private readonly packs: { id: PackId; size: number; sha256: string }[] = [];

  constructor(parts: GenerationParts, base: Base, reason: Reason) {
    this.parts = parts;
    this.base = base;
    this.reason = reason;
  }

  async run(): Promise<Made> {
    const { reader } = this.parts;
    const again = this.parts.rewrite === true ? wholeContent : contentToFold;
    const fold = this.base.list === undefined ? [] : again(this.base.list);
    const seen = await reader.scan(fold, (content, bytes) => this.take(content, bytes));
    if (!seen.changed && this.placed.size === 0) {
      return {
        ok: true,
        made: false,
        unkept: seen.unkept,
        cpuMs: seen.cpuMs,
        watching: seen.watching,
      };
    }
    const number = await this.reserve();
    const head = {
      agentId: this.parts.agentId,
      generation: number,
      parent: this.base.generation,
      at: this.parts.now(),
      reason: this.reason,
    };
    const composed = composeList(head, seen, this.base.list, this);
    if (!composed.ok) {
      return { ok: false, reason: "reader", message: `no content for ${composed.path}` };
    }
    const list = composed.list;
    const problem = shapeProblem(list);
    if (problem !== undefined) return { ok: false, reason: "reader", message: problem };
    const last = this.packId(number);
    if (!list.packs.includes(last)) list.packs.push(last);
    const text = Buffer.from(JSON.stringify(list));
    // In front, so that a restore can begin with what follows it.
    this.entries.unshift({ name: LIST_ENTRY, bytes: text, mode: 0o600, modified: head.at });
    await this.seal(number);
    const listSha256 = hash("sha256", text, "hex");
    // The pack that a list lies in has its seal in the next one.
    const known = withSeal(list, last, this.seals[last]);
    await this.parts.announce?.({ generation: number, listSha256 });
    const committed = await this.parts.host.commit(number, {
      parent: this.base.generation,
      reason: this.reason,
      packs: this.packs,
      needs: list.packs,
      listSha256,
      ...(this.parts.recipient === undefined ? {} : { recipient: this.parts.recipient }),
      ...(this.parts.imported === undefined ? {} : { imported: this.parts.imported }),
      files: list.files.length,
      bytes: sizeOfState(list),
      changes: {
        changed: this.paths.size,
        removed: seen.removed,
        bytes: this.brought,
        paths: [...this.paths].slice(0, 5).map((path) => path.slice(0, 200)),
      },
    });
    if (!committed.ok) {
      throw new RefusedError(
        committed,
        committed.reason === "store" ? { list: known, listSha256 } : undefined,
      );
    }
    return {
      ok: true,
      made: true,
      list: known,
      unkept: seen.unkept,
      cpuMs: seen.cpuMs,
      watching: seen.watching,
    };
  }

  private async take(content: Content, bytes: Buffer): Promise<void> {
    // The reader is the agent's process: a pack never holds what its list does not describe.
    if (hash("sha256", bytes, "hex") !== content.sha256)
      throw new Error("content with a wrong hash");
    const number = await this.reserve();
    if (this.bytes > 0 && this.bytes + bytes.length > PACK_TARGET_BYTES) await this.seal(number);
    const { path, part, mode, modified } = content;
    const [name, key] = [entryName(path, part), placeKey(path, part ?? 0)];
    // A file that became shorter while it was read is read again, from its beginning.
    if (this.placed.get(key) === this.packId(number)) this.takeBack(name);
    this.entries.push({ name, bytes, mode, modified });
    this.bytes += bytes.length;
    this.brought += bytes.length;
    this.paths.add(path);
    this.placed.set(key, this.packId(number));
  }

  private takeBack(name: string): void {
    const at = this.entries.findLastIndex((entry) => entry.name === name);
    const [former] = at < 0 ? [] : this.entries.splice(at, 1);
    this.bytes -= former?.bytes.length ?? 0;
    this.brought -= former?.bytes.length ?? 0;
  }

  private packId(number: number): PackId {
    return `${number}.${this.packs.length}`;
  }

  private async reserve(): Promise<number> {
    if (this.number !== undefined) return this.number;
    const reserved = await this.parts.host.reserve();
    if (!reserved.ok) throw new RefusedError(reserved);
    this.number = reserved.value.generation;
    return this.number;
  }

  private async seal(number: number): Promise<void> {
    const sealed = await sealPack(this.entries, this.parts.recipient);
    const id = this.packId(number);
    const stored = await this.parts.host.storePack(id, sealed);
    if (!stored.ok) throw new RefusedError(stored);
    this.packs.push({ id, size: sealed.bytes.byteLength, sha256: sealed.sha256 });
    if (sealed.seal !== undefined) this.seals[id] = sealed.seal;
    this.entries = [];
    this.bytes = 0;
  }
}
