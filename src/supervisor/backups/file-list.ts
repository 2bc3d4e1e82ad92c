/** The complete list of one generation, from what was seen and what the generation before had. Pure. */
import {
  BACKUP_FORMAT,
  MAX_FILES,
  type FileList,
  type ListedFile,
  type PackId,
  type Reason,
} from "../../protocol/backup.ts";
import type { ObservedFile } from "./messages.ts";

/** Where the content of one file lies: one pack for each hash. */
export interface Held {
  partSize: number | undefined;
  hashes: readonly string[];
  packs: readonly PackId[];
}

/** Content that this generation brought, by {@link placeKey}: of a file that was read more than once, the last. */
export type Placed = ReadonlyMap<string, { pack: PackId; sha256: string }>;

/** By pack, where it has one. */
export type Seals = NonNullable<FileList["seals"]>;

export const placeKey = (path: string, index: number) => `${index} ${path}`;

export interface Observed {
  folders: readonly { path: string; mode: number }[];
  links: readonly { path: string; target: string }[];
  files: readonly ObservedFile[];
  unkept: readonly { path: string; why: string }[];
}

export interface ListHead {
  agentId: string;
  generation: number;
  parent: number;
  at: number;
  reason: Reason;
}

export type Composed =
  | { ok: true; list: FileList }
  /** Content was seen unchanged that no pack is known to hold. */
  | { ok: false; reason: "unplaced"; path: string };

export function composeList(
  head: ListHead,
  seen: Observed,
  before: FileList | undefined,
  { placed, seals = {} }: { placed: Placed; seals?: Seals },
  most = MAX_FILES,
): Composed {
  const held = heldBy(before);
  const packs: PackId[] = [];
  const position = new Map<PackId, number>();
  const indexOf = (pack: PackId) => {
    const found = position.get(pack);
    if (found !== undefined) return found;
    position.set(pack, packs.length);
    packs.push(pack);
    return packs.length - 1;
  };
  const files: ListedFile[] = [];
  const folders = [...seen.folders, ...carried(seen, before?.folders, most - seen.folders.length)];
  const inFolder = new Set(folders.map(({ path }) => path));
  const oldFiles = carried(seen, before?.files, most - seen.files.length, inFolder).map(observedOf);
  for (const file of [...seen.files, ...oldFiles]) {
    const refs: number[] = [];
    for (const [i, sha256] of file.hashes.entries()) {
      const old = held.get(file.path);
      const same = old?.partSize === file.partSize && old?.hashes[i] === sha256;
      // What was brought in a look that was given up is not what the file holds.
      const own = placed.get(placeKey(file.path, i));
      const pack = own?.sha256 === sha256 ? own.pack : same ? old?.packs[i] : undefined;
      if (pack === undefined) return { ok: false, reason: "unplaced", path: file.path };
      refs.push(indexOf(pack));
    }
    files.push(listed(file, refs));
  }
  const list: FileList = {
    format: BACKUP_FORMAT,
    ...head,
    packs,
    ...sealsOf(packs, { ...before?.seals, ...seals }),
    folders,
    links: [...seen.links, ...carried(seen, before?.links, most - seen.links.length, inFolder)],
    files,
  };
  return { ok: true, list };
}

/** Nothing where nothing is known. */
function sealsOf(packs: readonly PackId[], known: Seals): { seals?: Seals } {
  const seals: Seals = {};
  for (const pack of packs) if (known[pack] !== undefined) seals[pack] = known[pack];
  return Object.keys(seals).length === 0 ? {} : { seals };
}

/** The list, with what is known of one pack more. */
export function withSeal(list: FileList, pack: PackId, seal: string | undefined): FileList {
  return seal === undefined ? list : { ...list, seals: { ...list.seals, [pack]: seal } };
}

function listed(file: ObservedFile, refs: number[]): ListedFile {
  const { path, mode, modified, size, partSize, hashes } = file;
  const head = {
    path,
    mode,
    modified,
    size,
    ...(file.database === undefined ? {} : { database: file.database }),
  };
  if (partSize === undefined) return { ...head, sha256: hashes[0] ?? "", pack: refs[0] ?? 0 };
  return { ...head, partSize, parts: hashes.map((sha256, i) => [sha256, refs[i] ?? 0]) };
}

/**
 * What could not be read this time stays as it was, in a folder that is there. In the order of the list
 * before, as the reader has it.
 */
function carried<T extends { path: string }>(
  seen: Observed,
  before: readonly T[] | undefined,
  room: number,
  inFolder?: ReadonlySet<string>,
): T[] {
  if (before === undefined || seen.unkept.length === 0) return [];
  const there = new Set([...seen.files, ...seen.folders, ...seen.links].map((entry) => entry.path));
  const isCovered = coverOf(seen.unkept);
  return before
    .filter(({ path }) => !there.has(path) && isCovered(path))
    .filter(({ path }) => inFolder === undefined || inFolder.has(folderOf(path)))
    .slice(0, room);
}

/** Whether a path is, or lies below, one of these. */
export function coverOf(unkept: readonly { path: string }[]): (path: string) => boolean {
  const covered = new Set(unkept.map(({ path }) => path));
  return (path) => {
    for (let at = path; at !== ""; at = folderOf(at)) if (covered.has(at)) return true;
    return false;
  };
}

/** Empty at the top. */
function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function observedOf(file: ListedFile): ObservedFile {
  const { path, mode, modified, size } = file;
  return {
    path,
    mode,
    modified,
    size,
    ...(file.database === undefined ? {} : { database: file.database }),
    ...("parts" in file ? { partSize: file.partSize } : {}),
    hashes: "parts" in file ? file.parts.map(([sha256]) => sha256) : [file.sha256],
  };
}

function heldBy(list: FileList | undefined): Map<string, Held> {
  const held = new Map<string, Held>();
  for (const file of list?.files ?? []) {
    const refs = "parts" in file ? file.parts.map(([, pack]) => pack) : [file.pack];
    held.set(file.path, {
      partSize: "parts" in file ? file.partSize : undefined,
      hashes: observedOf(file).hashes,
      packs: refs.map((ref) => list?.packs[ref] ?? ""),
    });
  }
  return held;
}

export function sizeOfState(list: FileList): number {
  return list.files.reduce((sum, file) => sum + file.size, 0);
}

/** What a check of the restored databases takes besides. */
export function largestDatabase(list: FileList): number {
  const sizes = list.files.map(({ database, size }) => (database === true ? size : 0));
  return sizes.reduce((most, size) => Math.max(most, size), 0);
}

/**
 * What makes a list no description of a folder, or undefined: one name twice, or something below a
 * file or a link. With such a list a restore could write through a link.
 */
export function shapeProblem(list: FileList): string | undefined {
  const folders = new Set(list.folders.map((folder) => folder.path));
  const leaves = [...list.files, ...list.links].map((entry) => entry.path);
  const all = new Set([...folders, ...leaves]);
  if (all.size !== list.folders.length + leaves.length) return "the file list names a path twice";
  for (const path of all) {
    const end = path.lastIndexOf("/");
    if (end > 0 && !folders.has(path.slice(0, end)))
      return `the file list lacks the folder of ${path}`;
  }
  for (const file of list.files) {
    const pieces = "parts" in file ? Math.ceil(file.size / file.partSize) : 1;
    const refs = "parts" in file ? file.parts.map(([, pack]) => pack) : [file.pack];
    if (refs.length !== pieces || refs.some((ref) => list.packs[ref] === undefined)) {
      return `the file list does not say where ${file.path} is`;
    }
  }
  return undefined;
}
