/**
 * Walks the state folder while the agent, who owns it, may change it. Every folder is opened without
 * following a link and its entries are reached through that open folder, so that a folder swapped
 * for a link leads nowhere. What is neither file, folder nor link is reported, not read.
 */
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type BigIntStats,
} from "node:fs";
import { join } from "node:path";
import { besideWhich, isKept, isKeptFolder } from "../../archive/kept.ts";
import { isStatePath, STATE_FOLDER } from "../../protocol/backup.ts";

export type Entry =
  | { kind: "folder"; path: string; mode: number }
  | { kind: "link"; path: string; target: string }
  /** `at` reaches the file while the walk stands in its folder. */
  | {
      kind: "file";
      path: string;
      at: string;
      stat: BigIntStats;
      siblings: Set<string>;
      /** Comes before it, and is perhaps the database that this belongs to. */
      owner: string | undefined;
    }
  /** `beyond`: it is only that there are too many. */
  | { kind: "unkept"; path: string; why: string; beyond?: true };

const MAX_DEPTH = 64;
/**
 * Whoever restores opens whole paths, of 4,095 bytes at most, with a home and at times a scratch folder in
 * front. A walk from folder to folder knows no such bound, nor do lists that are stored already.
 */
const MAX_PATH_BYTES = 3_600;
const MAX_LINK = 4096;
/** So many names of the state folder itself are reported one by one. */
const MOST_NAMED = 1000;
const hasDescriptors = existsSync("/proc/self/fd");

/** How many names may still be looked at. */
interface Counter {
  readonly most: number;
  left: number;
}

/**
 * Paths are below `home` and begin with the state folder. What comes after `most` names is not looked
 * at, and reported.
 *
 * @param expected whether something is known of the state: then a state folder that is not there is
 *   reported. To begin from nothing is for a person to decide.
 */
export function* walk(home: string, most: number, expected: boolean): Generator<Entry> {
  const at = join(home, STATE_FOLDER);
  let folder: number;
  try {
    folder = openFolder(at);
  } catch (error) {
    const missing = isCode(error, "ENOENT");
    if (missing && !expected) return;
    const other = isGone(error) ? "it is a link or a file, and not a folder" : messageOf(error);
    yield { kind: "unkept", path: STATE_FOLDER, why: missing ? "it is not there" : other };
    return;
  }
  yield* walkOpened(folder, at, STATE_FOLDER, 0, { most, left: most - 1 });
}

function openFolder(at: string): number {
  return openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

function* walkFolder(at: string, path: string, depth: number, counter: Counter): Generator<Entry> {
  let folder: number;
  try {
    folder = openFolder(at);
  } catch (error) {
    if (!isGone(error)) yield { kind: "unkept", path, why: messageOf(error) };
    return;
  }
  yield* walkOpened(folder, at, path, depth, counter);
}

/** Closes the folder. */
function* walkOpened(
  folder: number,
  at: string,
  path: string,
  depth: number,
  counter: Counter,
): Generator<Entry> {
  try {
    const base = hasDescriptors ? `/proc/self/fd/${folder}` : at;
    yield {
      kind: "folder",
      path,
      mode: Number(lstatSync(`${base}/.`, { bigint: true }).mode & 0o777n),
    };
    const names = readdirSync(base, { encoding: "buffer" })
      .map((name) => name.toString())
      .sort();
    const siblings = new Set(names);
    for (const [i, name] of (depth === 0 ? mostNeededFirst(names) : names).entries()) {
      const child = `${path}/${name}`;
      if (!isKeptFolder(child)) continue;
      if (counter.left === 0) {
        const why = `there are more than ${counter.most} files`;
        // Each by its name, so that what was looked at before them counts as looked at.
        const beyond = depth === 0 && names.length - i <= MOST_NAMED ? child : path;
        yield { kind: "unkept", path: beyond, why, beyond: true };
        if (beyond === path) return;
        continue;
      }
      counter.left--;
      const problem = problemOfName(child, name);
      if (problem !== undefined) {
        if (isKept(child)) yield { kind: "unkept", path: child, why: problem };
        continue;
      }
      yield* visit(`${base}/${name}`, child, siblings, depth, counter);
    }
  } catch (error) {
    if (!isGone(error)) yield { kind: "unkept", path, why: messageOf(error) };
  } finally {
    closeSync(folder);
  }
}

/**
 * `state` has what chat platforms sent, until it stands in a conversation below `agents`. What moves from the one to the
 * other while they are copied is then in both copies, and not in neither. Both come before everything
 * that an agent may fill without end.
 */
function mostNeededFirst(names: readonly string[]): string[] {
  const first = ["state", "agents"].filter((name) => names.includes(name));
  const last = ["npm"].filter((name) => names.includes(name));
  const others = names.filter((name) => !first.includes(name) && !last.includes(name));
  return [...first, ...others, ...last];
}

function problemOfName(path: string, name: string): string | undefined {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return "its path is too long";
  return !isStatePath(path) || name.includes("\uFFFD") ? "its name cannot be kept" : undefined;
}

function* visit(
  at: string,
  path: string,
  siblings: Set<string>,
  depth: number,
  counter: Counter,
): Generator<Entry> {
  let stat: BigIntStats;
  try {
    stat = lstatSync(at, { bigint: true });
    if (stat.isSymbolicLink() && isKept(path)) {
      const bytes = readlinkSync(at, { encoding: "buffer" });
      const target = bytes.toString();
      if (target.length > MAX_LINK) yield { kind: "unkept", path, why: "the link is too long" };
      else if (Buffer.from(target).equals(bytes)) yield { kind: "link", path, target };
      else yield { kind: "unkept", path, why: "where it leads cannot be kept" };
      return;
    }
  } catch (error) {
    if (!isGone(error)) yield { kind: "unkept", path, why: messageOf(error) };
    return;
  }
  if (stat.isDirectory()) {
    if (depth < MAX_DEPTH) yield* walkFolder(at, path, depth + 1, counter);
    else yield { kind: "unkept", path, why: "it lies too deep" };
  } else if (!isKept(path)) {
    return;
  } else if (!stat.isFile()) {
    yield { kind: "unkept", path, why: "it is not a file, a folder or a link" };
  } else {
    yield { kind: "file", path, at, stat, siblings, owner: ownerOf(path, siblings) };
  }
}

/** The path of what would be the database, where a file has a name that SQLite gives to its own. */
function ownerOf(path: string, siblings: ReadonlySet<string>): string | undefined {
  const folder = path.lastIndexOf("/") + 1;
  const database = besideWhich(path.slice(folder));
  if (database === undefined || !siblings.has(database)) return undefined;
  return path.slice(0, folder) + database;
}

/** The agent removed it meanwhile, or put something else there. */
export function isGone(error: unknown): boolean {
  return isCode(error, "ENOENT", "ENOTDIR", "ELOOP");
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
