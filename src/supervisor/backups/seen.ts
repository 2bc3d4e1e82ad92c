/** What needs no second look: files whose content was seen under the stat that they still have. */
import { lstatSync, type BigIntStats } from "node:fs";
import type { ObservedFile } from "./messages.ts";
import type { Entry } from "./tree.ts";

type FileEntry = Extract<Entry, { kind: "file" }>;

/** A file system's clock is coarser than a write: a younger change could hide behind equal times. */
const RACY_NS = 50_000_000n;

/** How a file stood when a look at it began. */
export interface Stand {
  signature: string;
  /** Long enough after its last change. */
  isSettled: boolean;
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
    isQuiet: logs.length === 0,
  };
}

export class Seen {
  private readonly files = new Map<string, { signature: string; file: ObservedFile }>();

  find({ path }: FileEntry, { signature }: Stand): ObservedFile | undefined {
    const before = this.files.get(path);
    return before?.signature === signature ? before.file : undefined;
  }

  /** @param lasts false when another look may find the same content otherwise */
  put(file: ObservedFile, { isSettled, signature }: Stand, lasts: boolean): void {
    if (isSettled && lasts) this.files.set(file.path, { signature, file });
    else this.files.delete(file.path);
  }

  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.files.keys()) if (!paths.has(path)) this.files.delete(path);
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
