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
  writev,
  writevSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { FileList, ListedFile, PackId } from "../../protocol/backup.ts";
import { Holes } from "./holes.ts";
import { entryName } from "./pack.ts";

/** One piece of content and where it belongs. */
export interface Wanted {
  entry: string;
  sha256: string;
  size: number;
  file: ListedFile;
  offset: number;
}

/** A slice of it. */
export interface Content {
  wanted: Wanted;
  /** Where in it the slice begins. */
  at: number;
  bytes: Uint8Array;
}

/** Slices that lie next to each other in one file. */
interface Run {
  file: ListedFile;
  offset: number;
  slices: Uint8Array[];
  bytes: number;
  /** What is complete with it. */
  ends: Wanted[];
}

/** From here on writing is worth the way to another thread: this one has the next pack to receive. */
const ELSEWHERE_BYTES = 64 * 1024;
const writeElsewhere = promisify(writev);

export class StateWriter {
  private readonly target: string;
  private readonly list: FileList;
  private readonly byPack = new Map<PackId, Wanted[]>();
  /** What is still to come of each file. */
  private readonly missing = new Map<string, Set<Wanted>>();
  private readonly opened = new Set<string>();
  private readonly holes = new Holes();

  constructor(target: string, list: FileList) {
    this.target = target;
    this.list = list;
    const folders = new Set(list.folders.map((folder) => folder.path));
    for (const path of [...folders].sort()) this.makeFolder(path);
    for (const file of list.files) {
      const missing = new Set<Wanted>();
      this.missing.set(file.path, missing);
      for (const { pack, ...wanted } of piecesOf(file, list.packs)) {
        missing.add(wanted);
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

  /**
   * Slices in their order; those of another pack may be written at the same time, and any again: modes and
   * times come in the end.
   */
  async write(content: readonly Content[]): Promise<void> {
    const present = content.filter((slice) => {
      if (!this.holes.isOne(slice)) return true;
      if (isLast(slice)) this.missing.get(slice.wanted.file.path)?.delete(slice.wanted);
      return false;
    });
    for (const run of runsOf(present)) {
      const { file, ends } = run;
      const descriptor = this.open(file);
      try {
        await writeRun(descriptor, run);
        for (const wanted of ends) this.missing.get(file.path)?.delete(wanted);
      } finally {
        closeSync(descriptor);
      }
    }
  }

  private open({ path }: ListedFile): number {
    // Another writer may have begun with what was found to be wrong.
    const first = this.opened.has(path) ? 0 : constants.O_TRUNC;
    this.opened.add(path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | first;
    return openSync(join(this.target, path), flags, 0o600);
  }

  /** Throws when content is missing. */
  finish(): void {
    for (const [path, { size }] of this.missing) {
      if (size !== 0) throw new Error(`${size} pieces of ${path} are missing`);
    }
    for (const file of this.list.files) {
      const descriptor = this.open(file);
      try {
        complete(descriptor, file);
      } finally {
        closeSync(descriptor);
      }
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

function runsOf(content: readonly Content[]): Run[] {
  const runs: Run[] = [];
  for (const slice of content) {
    const { wanted, at, bytes } = slice;
    const { file } = wanted;
    const offset = wanted.offset + at;
    let run = runs.at(-1);
    if (run?.file !== file || run.offset + run.bytes !== offset) {
      run = { file, offset, slices: [], bytes: 0, ends: [] };
      runs.push(run);
    }
    run.slices.push(bytes);
    run.bytes += bytes.length;
    if (isLast(slice)) run.ends.push(wanted);
  }
  return runs;
}

function isLast({ wanted, at, bytes }: Content): boolean {
  return at + bytes.length === wanted.size;
}

async function writeRun(descriptor: number, { file, offset, slices, bytes }: Run): Promise<void> {
  if (bytes === 0) return;
  const written =
    bytes < ELSEWHERE_BYTES
      ? writevSync(descriptor, slices, offset)
      : (await writeElsewhere(descriptor, slices, offset)).bytesWritten;
  if (written !== bytes) {
    throw new Error(`${file.path}: ${written} of ${bytes} bytes were written`);
  }
}

function complete(descriptor: number, { size, mode, modified }: ListedFile): void {
  ftruncateSync(descriptor, size);
  fchmodSync(descriptor, mode);
  const seconds = modified / 1000;
  futimesSync(descriptor, seconds, seconds);
}
