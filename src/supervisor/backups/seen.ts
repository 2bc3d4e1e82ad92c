/** What needs no second look: files whose content was seen under the stat that they still have. */
import { lstatSync, type BigIntStats } from "node:fs";
import type { ObservedFile } from "./messages.ts";
import type { Entry } from "./tree.ts";

type FileEntry = Extract<Entry, { kind: "file" }>;

/** A file system's clock is coarser than a write: a younger change could hide behind equal times. */
const RACY_NS = 50_000_000n;
/**
 * What is written through a mapping changes no time while its page still waits to be written to the disk
 * since an earlier change. The kernel lets none wait for much longer than half of this.
 */
const MAPPED_NS = 60_000_000_000n;

/** What a look at a file found. */
export interface Look {
  file: ObservedFile;
  /** False when the same content may be found otherwise a little later. */
  lasts: boolean;
  /** It is a copy of a database: what is in SQLite's own files beside it is in the copy. */
  isCopy: boolean;
}

/** How a file stood when a look at it began. */
export interface Stand {
  signature: string;
  /** Long enough after its last change. */
  isSettled: boolean;
  /** Its content was written so lately that more may come through a mapping, unseen. */
  isYoung: boolean;
  /** No log of SQLite's that holds something lies beside it. */
  isQuiet: boolean;
}

export function standOf(entry: FileEntry): Stand {
  const now = BigInt(Date.now()) * 1_000_000n;
  const logs = logsBeside(entry);
  const stats = [entry.stat, ...logs];
  return {
    signature: stats
      .map((stat) => `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`)
      .join(" "),
    isSettled: stats.every((stat) => now - stat.ctimeNs > RACY_NS),
    // By a time that whoever unpacks or restores sets back: nothing of theirs is read twice.
    isYoung: now - entry.stat.mtimeNs < MAPPED_NS && entry.stat.mtimeNs <= now,
    isQuiet: logs.length === 0,
  };
}

export class Seen {
  private readonly looks = new Map<string, { signature: string; look: Look }>();

  find({ path }: FileEntry, { signature }: Stand): Look | undefined {
    const before = this.looks.get(path);
    return before?.signature === signature ? before.look : undefined;
  }

  put(look: Look, { isSettled, signature }: Stand): void {
    const { path } = look.file;
    if (isSettled && look.lasts) this.looks.set(path, { signature, look });
    else this.looks.delete(path);
  }

  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.looks.keys()) if (!paths.has(path)) this.looks.delete(path);
  }
}

/** A write-ahead log that holds something is part of its database. */
function logsBeside({ at, path, siblings }: FileEntry): BigIntStats[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return ["-wal", "-journal"].flatMap((suffix) => {
    if (!siblings.has(`${name}${suffix}`)) return [];
    try {
      const stat = lstatSync(at + suffix, { bigint: true });
      return stat.size > 0n ? [stat] : [];
    } catch {
      return [];
    }
  });
}
