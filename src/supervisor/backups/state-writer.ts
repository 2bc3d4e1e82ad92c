/**
 * Writes a listed state into an empty folder in which nobody else works. Every path was checked by
 * the list's schema; links are made last, so that nothing is ever written through one.
 */
import {
  chmodSync,
  closeSync,
  constants,
  futimesSync,
  fchmodSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { FileList, ListedFile, PackId } from "../../protocol/backup.ts";
import { entryName } from "./pack.ts";

/** One piece of content and where it belongs. */
export interface Wanted {
  entry: string;
  sha256: string;
  size: number;
  file: ListedFile;
  offset: number;
}

export class StateWriter {
  private readonly target: string;
  private readonly list: FileList;
  private readonly byPack = new Map<PackId, Wanted[]>();
  /** Pieces still to come of each file. */
  private readonly missing = new Map<string, number>();
  private open: { path: string; descriptor: number } | undefined;

  constructor(target: string, list: FileList) {
    this.target = target;
    this.list = list;
    const folders = new Set(list.folders.map((folder) => folder.path));
    for (const path of [...folders].sort()) this.makeFolder(path);
    for (const file of list.files) {
      const pieces = piecesOf(file, list.packs);
      this.missing.set(file.path, pieces.length);
      for (const { pack, ...wanted } of pieces) {
        const held = this.byPack.get(pack);
        if (held === undefined) this.byPack.set(pack, [wanted]);
        else held.push(wanted);
      }
      this.makeFolder(dirname(file.path));
    }
  }

  wants(pack: PackId): boolean {
    return this.byPack.has(pack);
  }

  wantedFrom(pack: PackId): readonly Wanted[] {
    return this.byPack.get(pack) ?? [];
  }

  write(wanted: Wanted, bytes: Uint8Array): void {
    const { file } = wanted;
    const open = this.openFor(file);
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(open, bytes, written, bytes.length - written, wanted.offset + written);
    }
    const left = (this.missing.get(file.path) ?? 0) - 1;
    this.missing.set(file.path, left);
    if (left > 0) return;
    ftruncateSync(open, file.size);
    fchmodSync(open, file.mode);
    const seconds = file.modified / 1000;
    futimesSync(open, seconds, seconds);
    this.close();
  }

  /** The parts of one file come one after the other: it stays open between them. */
  private openFor(file: ListedFile): number {
    if (this.open?.path === file.path) return this.open.descriptor;
    this.close();
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
    const descriptor = openSync(join(this.target, file.path), flags, 0o600);
    this.open = { path: file.path, descriptor };
    return descriptor;
  }

  /** Needed after a failure; writing on opens again. */
  close(): void {
    if (this.open !== undefined) closeSync(this.open.descriptor);
    this.open = undefined;
  }

  /** Throws when content is missing. */
  finish(): void {
    this.close();
    for (const [path, left] of this.missing) {
      if (left !== 0) throw new Error(`${left} pieces of ${path} are missing`);
    }
    for (const { path, target } of this.list.links) {
      this.makeFolder(dirname(path));
      symlinkSync(target, join(this.target, path));
    }
    for (const { path, mode } of this.list.folders.toReversed()) {
      chmodSync(join(this.target, path), mode);
    }
  }

  private makeFolder(path: string): void {
    mkdirSync(join(this.target, path), { recursive: true, mode: 0o700 });
  }
}

function piecesOf(file: ListedFile, packs: readonly PackId[]): (Wanted & { pack: PackId })[] {
  if (!("parts" in file)) {
    const { sha256, size } = file;
    const entry = entryName(file.path, undefined);
    return [{ entry, sha256, size, file, offset: 0, pack: packs[file.pack] ?? "" }];
  }
  return file.parts.map(([sha256, pack], index) => {
    const offset = index * file.partSize;
    return {
      entry: entryName(file.path, index),
      sha256,
      size: Math.min(file.partSize, file.size - offset),
      file,
      offset,
      pack: packs[pack] ?? "",
    };
  });
}
