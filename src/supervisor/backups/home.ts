/**
 * The agent's home at the beginning of a start. Every sandbox begins empty: what a former one left
 * on this disk is moved aside at once, kept as a recovery generation when it is newer than the
 * newest one, and removed; one that no generation can take stays under another name. Runs before any
 * program of the agent, so nothing moves underneath; what the agent put there before under a name
 * that is used here is never followed.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { sha256Hex, STATE_FOLDER, type RestorePlan } from "../../protocol/backup.ts";
import { openFolder, removeTree } from "./tree-removal.ts";
import { beginUnfinished, isUnfinished, UNFINISHED } from "./unfinished.ts";
import { isUnsaved, keepUnsaved } from "./unsaved.ts";
import { writtenSince } from "./written-since.ts";

/** Own files in the home, none of them kept. */
export const OWN_FOLDER = ".moltworker";
const ASIDE = ".moltworker-left-behind";
/** A home without a mark on its way to another name. */
const UNMARKED = ".moltworker-unmarked";
const MARK = "base.json";
const SETTLED = "settled";
/** Far more than there is to say. */
const MAX_MARK_BYTES = 1_000_000;

/**
 * Says that a home holds a whole state, and which generation it was last the same as. The agent could
 * write it; that makes a generation of what it could have committed anyway.
 */
export const mark = z.object({
  agentId: z.string(),
  generation: z.number().int().nonnegative(),
  /**
   * Generations that were asked for on top of it, written before each was: a kill may come after the
   * commit and before its answer.
   */
  asked: z
    .array(z.object({ generation: z.number().int().positive(), listSha256: sha256Hex }))
    .default([]),
});
export type Mark = z.infer<typeof mark>;
export type Asked = Mark["asked"][number];

export interface LeftBehind {
  folder: string;
  mark: Mark;
}

/** In a home, for copies of databases. */
export function scratchIn(home: string): string {
  return join(home, OWN_FOLDER, "scratch");
}

export function markPath(home: string): string {
  return join(home, OWN_FOLDER, MARK);
}

/** Says the number of the mark's generation for as long as nothing was seen to change since. */
export function settledPath(home: string): string {
  return join(home, OWN_FOLDER, SETTLED);
}

/**
 * Whether a state with this mark came from the planned generation, or from a newer one that is damaged in the bucket:
 * then it can only be newer than what a restore would bring.
 */
export function followsFrom({ generation, asked }: Mark, plan: RestorePlan): boolean {
  if (generation === plan.generation) return true;
  if (plan.outcome === "empty") return false;
  return (
    plan.passedOver.some((one) => one.generation === generation) ||
    [plan, ...plan.passedOver].some(({ generation: n, listSha256 }) =>
      asked.some((one) => one.generation === n && one.listSha256 === listSha256),
    )
  );
}

/**
 * Empties the home; answers what a former sandbox left, if that was a whole state. From then on the
 * home counts as not finished. A state that nothing is known of is put where a person finds it.
 */
export function setAside(home: string, now: number): LeftBehind | undefined {
  mkdirSync(home, { recursive: true });
  const [aside, unmarked] = [join(home, ASIDE), join(home, UNMARKED)];
  for (const path of [aside, unmarked]) if (!isFolder(path)) removeTree(path);
  if (holdsState(unmarked)) keepUnsaved(home, unmarked, now);
  const own = new Set([ASIDE, UNMARKED, UNFINISHED]);
  const names = readdirSync(home).filter((name) => !own.has(name) && !isUnsaved(name));
  if (readMark(home) !== undefined) {
    // One that is whole should have been put away by the start before, and could not be.
    if (readMark(aside) !== undefined) keepUnsaved(home, aside, now);
    // The mark goes last: without it what was moved so far counts as nothing.
    moveAll(home, names, aside, OWN_FOLDER);
  } else if (holdsState(home) && !isUnfinished(home)) {
    moveAll(home, names, unmarked, STATE_FOLDER);
    keepUnsaved(home, unmarked, now);
  } else {
    // An interrupted start: what was aside before it is still the newest there is.
    for (const name of names) removeTree(join(home, name));
  }
  beginUnfinished(home);
  const found = readMark(aside);
  return found === undefined ? undefined : { folder: aside, mark: found };
}

/** Whether it is not known to be the same as the generation of its mark. */
export function mayBeNewer({ folder, mark: { generation } }: LeftBehind): boolean {
  try {
    const path = settledPath(folder);
    if (readOwn(path) !== String(generation)) return true;
    return writtenSince(folder, lstatSync(path).mtimeMs);
  } catch {
    return true;
  }
}

/** Without its mark first, so that what an interruption leaves of it counts as nothing. */
export function dropLeftBehind(home: string): void {
  const aside = join(home, ASIDE);
  if (readMark(aside) !== undefined) rmSync(markPath(aside));
  removeTree(aside);
}

function moveAll(home: string, names: readonly string[], to: string, last: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  openFolder(to);
  for (const name of [...names.filter((one) => one !== last), last]) {
    removeTree(join(to, name));
    openFolder(join(home, name));
    renameSync(join(home, name), join(to, name));
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A link in its place may lead to one that was moved elsewhere in the home. */
function holdsState(folder: string): boolean {
  const state = join(folder, STATE_FOLDER);
  if (!isFolder(state))
    return lstatSync(state, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  openFolder(state);
  return readdirSync(state).length > 0;
}

function readMark(folder: string): Mark | undefined {
  try {
    if (!isFolder(join(folder, OWN_FOLDER))) return undefined;
    return mark.parse(JSON.parse(readOwn(markPath(folder))));
  } catch {
    return undefined;
  }
}

/** What is no file of a sensible size is not waited for, and not read. */
function readOwn(path: string): string {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > MAX_MARK_BYTES) throw new Error(`${path} is no mark`);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}
