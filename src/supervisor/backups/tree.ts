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
import { isStatePath, MAX_FILES, STATE_FOLDER } from "../../protocol/backup.ts";
import { isKept } from "../../archive/kept.ts";

export type Entry =
  | { kind: "folder"; path: string; mode: number }
  | { kind: "link"; path: string; target: string }
  /** `at` reaches the file while the walk stands in its folder. */
  | { kind: "file"; path: string; at: string; stat: BigIntStats; siblings: Set<string> }
  | { kind: "unkept"; path: string; why: string };

const MAX_DEPTH = 64;
const MAX_LINK = 4096;
const hasDescriptors = existsSync("/proc/self/fd");

export class TooManyFilesError extends Error {
  override readonly name = "TooManyFilesError";
  readonly code = "too-many-files";
}

/** Paths are below `home` and begin with the state folder. Empty when there is none. */
export function* walk(home: string): Generator<Entry> {
  const counter = { left: MAX_FILES };
  yield* walkFolder(join(home, STATE_FOLDER), STATE_FOLDER, 0, counter);
}

function* walkFolder(
  at: string,
  path: string,
  depth: number,
  counter: { left: number },
): Generator<Entry> {
  let folder: number;
  try {
    folder = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (!isGone(error)) yield { kind: "unkept", path, why: messageOf(error) };
    return;
  }
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
    for (const name of depth === 0 ? queueFirst(names) : names) {
      counter.left--;
      if (counter.left < 0) throw new TooManyFilesError(`more than ${MAX_FILES} files`);
      const child = `${path}/${name}`;
      if (!isKept(child, siblings)) continue;
      if (!isStatePath(child) || name.includes("\uFFFD")) {
        yield { kind: "unkept", path: child, why: "its name cannot be kept" };
        continue;
      }
      yield* visit(`${base}/${name}`, child, siblings, depth, counter);
    }
  } catch (error) {
    if (error instanceof TooManyFilesError) throw error;
    if (!isGone(error)) yield { kind: "unkept", path, why: messageOf(error) };
  } finally {
    closeSync(folder);
  }
}

/**
 * `state` has what chat platforms sent, until it stands in a conversation below `agents`. What moves from the one to the
 * other while they are copied is then in both copies, and not in neither.
 */
function queueFirst(names: readonly string[]): string[] {
  return [...names.filter((name) => name === "state"), ...names.filter((name) => name !== "state")];
}

function* visit(
  at: string,
  path: string,
  siblings: Set<string>,
  depth: number,
  counter: { left: number },
): Generator<Entry> {
  let stat: BigIntStats;
  try {
    stat = lstatSync(at, { bigint: true });
    if (stat.isSymbolicLink()) {
      const target = readlinkSync(at);
      if (target.length <= MAX_LINK) yield { kind: "link", path, target };
      else yield { kind: "unkept", path, why: "the link is too long" };
      return;
    }
  } catch (error) {
    if (!isGone(error)) yield { kind: "unkept", path, why: messageOf(error) };
    return;
  }
  if (stat.isDirectory()) {
    if (depth < MAX_DEPTH) yield* walkFolder(at, path, depth + 1, counter);
    else yield { kind: "unkept", path, why: "it lies too deep" };
  } else if (stat.isFile()) {
    yield { kind: "file", path, at, stat, siblings };
  } else {
    yield { kind: "unkept", path, why: "it is not a file, a folder or a link" };
  }
}

/** The agent removed it meanwhile, or put something else there. */
export function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
