/** One look at the whole state: what there is, and what differs from the newest generation. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { MAX_FILES, STATE_FOLDER } from "../../protocol/backup.ts";
import { openContent, ShrunkError, type OpenedContent, type Piece } from "./content.ts";
import { CheckedCopies } from "./checked-copy.ts";
import { looksLikeDatabase } from "./database.ts";
import type { ObservedFile } from "./messages.ts";
import { clearPlaceOf, inScratch, ScratchFolderError } from "./scratch-folder.ts";
import { isGone, messageOf, walk, type Entry } from "./tree.ts";

export interface Known {
  mode: number;
  partSize?: number | undefined;
  hashes: readonly string[];
}

export interface Scan {
  folders: { path: string; mode: number }[];
  links: { path: string; target: string }[];
  files: ObservedFile[];
  unkept: { path: string; why: string }[];
}

export type Send = (file: ObservedFile, piece: Piece, inParts: boolean) => Promise<void>;

/** A file system's clock is coarser than a write: a younger change could hide behind equal times. */
const RACY_NS = 50_000_000n;
const SHRUNK_TRIES = 3;
/** Milliseconds since the epoch: what a tar can say, from 1970 to 2242. */
const LATEST = (8 ** 11 - 1) * 1000;

export class BrokenDatabaseError extends Error {
  override readonly name = "BrokenDatabaseError";
  readonly code = "broken-database";
}

/** What the walk came by is not there any more, or something else is. */
class GoneError extends Error {
  override readonly name = "GoneError";
  readonly code = "gone";
}

export class Scanner {
  private readonly home: string;
  private readonly scratch: string;
  private readonly most: number;
  /** Files by the stat under which their content was seen. */
  private readonly seen = new Map<string, { signature: string; file: ObservedFile }>();
  private readonly copies = new CheckedCopies();

  constructor(home: string, scratch: string, most = MAX_FILES) {
    this.home = home;
    this.scratch = scratch;
    this.most = most;
  }

  async scan(
    known: ReadonlyMap<string, Known>,
    resend: ReadonlyMap<string, ReadonlySet<number>>,
    send: Send,
    /** Told of each folder before its entries are read. */
    enter: (path: string) => void,
  ): Promise<Scan> {
    const found: Scan = { folders: [], links: [], files: [], unkept: [] };
    for (const entry of walk(this.home, this.most, known.size > 0)) {
      if (entry.kind === "folder") {
        enter(entry.path);
        found.folders.push({ path: entry.path, mode: entry.mode });
      } else if (entry.kind === "link")
        found.links.push({ path: entry.path, target: entry.target });
      else if (entry.kind === "unkept") found.unkept.push({ path: entry.path, why: entry.why });
      else await this.look(entry, known.get(entry.path), resend.get(entry.path), send, found);
    }
    const there = new Set(found.files.map((file) => file.path));
    for (const path of this.seen.keys()) if (!there.has(path)) this.seen.delete(path);
    return found;
  }

  private async look(
    entry: Extract<Entry, { kind: "file" }>,
    known: Known | undefined,
    resend: ReadonlySet<number> | undefined,
    send: Send,
    found: Scan,
  ): Promise<void> {
    const started = process.hrtime.bigint();
    const signature = signatureOf(entry);
    const before = this.seen.get(entry.path);
    if (before?.signature === signature && resend === undefined && isSame(before.file, known)) {
      found.files.push(before.file);
      return;
    }
    for (let i = 1; ; i++) {
      try {
        const file = await this.read(entry, known, resend, send);
        const age = BigInt(Date.now()) * 1_000_000n - changedNs(entry);
        const took = process.hrtime.bigint() - started;
        if (age - took > RACY_NS) this.seen.set(entry.path, { signature, file });
        else this.seen.delete(entry.path);
        found.files.push(file);
        return;
      } catch (error) {
        if (error instanceof GoneError) return;
        if (error instanceof ShrunkError && i < SHRUNK_TRIES) continue;
        const isFatal = error instanceof BrokenDatabaseError || error instanceof ScratchFolderError;
        if (isFatal || isStrict(entry.path)) throw error;
        found.unkept.push({ path: entry.path, why: messageOf(error) });
        return;
      }
    }
  }

  private async read(
    entry: Extract<Entry, { kind: "file" }>,
    known: Known | undefined,
    resend: ReadonlySet<number> | undefined,
    send: Send,
  ): Promise<ObservedFile> {
    const content = openEntry(entry, known);
    try {
      if (!looksLikeDatabase(content.head)) {
        return await this.emit(entry, content, known, resend, send, false);
      }
    } finally {
      content.close();
    }
    return this.readDatabase(entry, known, resend, send);
  }

  private async readDatabase(
    entry: Extract<Entry, { kind: "file" }>,
    known: Known | undefined,
    resend: ReadonlySet<number> | undefined,
    send: Send,
  ): Promise<ObservedFile> {
    const copy = join(this.scratch, "copy.sqlite");
    try {
      const { at, path, stat } = entry;
      const copied = await this.copies.make(at, copy, stat.size, path, besides(entry).length === 0);
      if (!copied.sound && isStrict(path)) {
        throw new BrokenDatabaseError(`${path}: ${copied.problem}`);
      }
      // Somebody's broken database is a file like any other: nothing will open it at a restore.
      const asFile = !copied.sound && !copied.copied;
      const content = asFile
        ? openEntry(entry, known)
        : inScratch(() => openContent(copy, known?.partSize));
      try {
        return await this.emit(entry, content, known, resend, send, copied.sound);
      } finally {
        content.close();
      }
    } finally {
      clearPlaceOf(copy);
    }
  }

  private async emit(
    entry: Extract<Entry, { kind: "file" }>,
    content: OpenedContent,
    known: Known | undefined,
    resend: ReadonlySet<number> | undefined,
    send: Send,
    database: boolean,
  ): Promise<ObservedFile> {
    const file: ObservedFile = {
      path: entry.path,
      mode: Number(entry.stat.mode & 0o777n),
      modified: Math.min(LATEST, Math.max(0, Number(entry.stat.mtimeMs))),
      size: content.size,
      ...(database ? { database: true } : {}),
      ...(content.partSize === undefined ? {} : { partSize: content.partSize }),
      hashes: [],
    };
    const comparable = known !== undefined && known.partSize === content.partSize;
    for (const piece of content.pieces()) {
      file.hashes.push(piece.sha256);
      const changed = !comparable || known.hashes[piece.index] !== piece.sha256;
      if (changed || resend?.has(piece.index))
        await send(file, piece, content.partSize !== undefined);
    }
    return file;
  }
}

function openEntry({ at }: Extract<Entry, { kind: "file" }>, known: Known | undefined) {
  try {
    return openContent(at, known?.partSize);
  } catch (error) {
    if (isGone(error)) throw new GoneError(messageOf(error));
    throw error;
  }
}

/** The gateway's own databases: a broken one is not kept as if it were good. */
function isStrict(path: string): boolean {
  return (
    path.startsWith(`${STATE_FOLDER}/state/`) ||
    new RegExp(`^\\${STATE_FOLDER}/agents/[^/]+/agent/`).test(path)
  );
}

export function isSame(file: ObservedFile, known: Known | undefined): boolean {
  return (
    known !== undefined &&
    known.partSize === file.partSize &&
    known.hashes.length === file.hashes.length &&
    known.hashes.every((one, i) => one === file.hashes[i])
  );
}

function signatureOf(entry: Extract<Entry, { kind: "file" }>): string {
  return [entry.stat, ...besides(entry)]
    .map((stat) => `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`)
    .join(" ");
}

function changedNs(entry: Extract<Entry, { kind: "file" }>): bigint {
  const times = [entry.stat, ...besides(entry)].map((stat) => stat.ctimeNs);
  return times.reduce((latest, time) => (time > latest ? time : latest), 0n);
}

/** A write-ahead log that holds something is part of its database. */
function besides(entry: Extract<Entry, { kind: "file" }>) {
  return ["-wal", "-journal"].flatMap((suffix) => {
    if (!entry.siblings.has(`${entry.path.slice(entry.path.lastIndexOf("/") + 1)}${suffix}`))
      return [];
    try {
      const stat = lstatSync(entry.at + suffix, { bigint: true });
      return stat.size > 0n ? [stat] : [];
    } catch {
      return [];
    }
  });
}
