/** One look at the whole state: what there is, and what differs from the newest generation. */
import { join } from "node:path";
import { isGatewayDatabase } from "../../archive/kept.ts";
import { MAX_FILES } from "../../protocol/backup.ts";
import { openContent, ShrunkError, type OpenedContent, type Piece } from "./content.ts";
import { CheckedCopies } from "./checked-copy.ts";
import { looksLikeDatabase } from "./database.ts";
import type { ObservedFile } from "./messages.ts";
import { clearPlaceOf, inScratch, ScratchFolderError } from "./scratch-folder.ts";
import { Seen, standOf, type Look, type Stand } from "./seen.ts";
import { BrokenDatabaseError, requireVital } from "./unkeepable.ts";
import { isGone, messageOf, walk, type Entry } from "./tree.ts";

export interface Known {
  mode: number;
  database?: true | undefined;
  partSize?: number | undefined;
  hashes: readonly string[];
}

export interface Scan {
  folders: { path: string; mode: number }[];
  links: { path: string; target: string }[];
  files: ObservedFile[];
  unkept: { path: string; why: string }[];
}

/** What the content of one file is compared with, and who takes what differs. */
interface Against {
  known: Known | undefined;
  resend: ReadonlySet<number> | undefined;
  send: Send;
}

type FileEntry = Extract<Entry, { kind: "file" }>;

export type Send = (file: ObservedFile, piece: Piece, inParts: boolean) => Promise<void>;

const SHRUNK_TRIES = 3;
/** Milliseconds since the epoch: what a tar can say, from 1970 to 2242. */
const LATEST = (8 ** 11 - 1) * 1000;

/** What the walk came by is not there any more, or something else is. */
class GoneError extends Error {
  override readonly name = "GoneError";
  readonly code = "gone";
}

export class Scanner {
  private readonly home: string;
  private readonly scratch: string;
  private readonly most: number;
  private readonly seen = new Seen();
  private readonly copies = new CheckedCopies();
  /** Databases that this scan has a copy of, or would have. */
  private inCopies = new Set<string>();

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
    this.inCopies = new Set();
    for (const entry of walk(this.home, this.most, known.size > 0)) {
      requireVital(entry);
      if (entry.kind === "folder") {
        enter(entry.path);
        found.folders.push({ path: entry.path, mode: entry.mode });
      } else if (entry.kind === "link")
        found.links.push({ path: entry.path, target: entry.target });
      else if (entry.kind === "unkept") found.unkept.push({ path: entry.path, why: entry.why });
      else {
        const against = { known: known.get(entry.path), resend: resend.get(entry.path), send };
        await this.look(entry, against, found);
      }
    }
    this.seen.keepOnly(new Set(found.files.map((file) => file.path)));
    return found;
  }

  private async look(entry: FileEntry, against: Against, found: Scan): Promise<void> {
    if (entry.owner !== undefined && this.inCopies.has(entry.owner)) return;
    const { known, resend } = against;
    const stand = standOf(entry);
    const before = this.seen.find(entry, stand);
    if (before !== undefined && resend === undefined && isSame(before.file, known)) {
      if (before.isCopy) this.inCopies.add(entry.path);
      found.files.push(before.file);
      return;
    }
    for (let i = 1; ; i++) {
      try {
        const look = await this.read(entry, stand, against);
        this.seen.put(look, stand);
        found.files.push(look.file);
        return;
      } catch (error) {
        if (error instanceof GoneError) return;
        if (error instanceof ShrunkError && i < SHRUNK_TRIES) continue;
        const isFatal = error instanceof BrokenDatabaseError || error instanceof ScratchFolderError;
        if (isFatal || isGatewayDatabase(entry.path)) throw error;
        // The copy that stays as it was has no log: the one that lies there is of something later.
        if (known?.database === true) this.inCopies.add(entry.path);
        found.unkept.push({ path: entry.path, why: messageOf(error) });
        return;
      }
    }
  }

  private async read(entry: FileEntry, stand: Stand, against: Against): Promise<Look> {
    const content = openEntry(entry, against);
    try {
      if (!looksLikeDatabase(content.head)) {
        const file = await this.emit(entry, content, against, false);
        return { file, lasts: !stand.isYoung, isCopy: false };
      }
    } finally {
      content.close();
    }
    return this.readDatabase(entry, stand, against);
  }

  private async readDatabase(
    entry: FileEntry,
    { isQuiet, isYoung }: Stand,
    against: Against,
  ): Promise<Look> {
    const copy = join(this.scratch, "copy.sqlite");
    this.inCopies.add(entry.path);
    try {
      const { at, path, stat } = entry;
      const copied = await this.copies.make(at, copy, stat.size, path, isQuiet);
      if (!copied.sound && isGatewayDatabase(path)) {
        throw new BrokenDatabaseError(`${path}: ${copied.problem}`);
      }
      // Somebody's broken database is a file like any other: nothing will open it at a restore.
      const asFile = !copied.sound && !copied.copied;
      if (asFile) this.inCopies.delete(path);
      const content = asFile
        ? openEntry(entry, against)
        : inScratch(() => openContent(copy, against.known?.partSize));
      try {
        const file = await this.emit(entry, content, against, copied.sound);
        return {
          file,
          lasts: asFile ? !isYoung : !copied.sound || copied.checked,
          isCopy: !asFile,
        };
      } finally {
        content.close();
      }
    } finally {
      clearPlaceOf(copy);
    }
  }

  private async emit(
    entry: FileEntry,
    content: OpenedContent,
    { known, resend, send }: Against,
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

function openEntry({ at }: FileEntry, { known }: Against): OpenedContent {
  try {
    return openContent(at, known?.partSize);
  } catch (error) {
    if (isGone(error)) throw new GoneError(messageOf(error));
    throw error;
  }
}

export function isSame(file: ObservedFile, known: Known | undefined): boolean {
  return (
    known !== undefined &&
    known.partSize === file.partSize &&
    known.hashes.length === file.hashes.length &&
    known.hashes.every((one, i) => one === file.hashes[i])
  );
}
