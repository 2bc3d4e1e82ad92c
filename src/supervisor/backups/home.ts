/**
 * The agent's home at the beginning of a start. Every sandbox begins empty: what a former one left
 * on this disk is moved aside at once, kept as a recovery generation when it is newer than the
 * newest one, and removed; one that no generation can take stays under another name. Runs before any program of the agent, so nothing moves underneath.
 */
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
} from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { sha256Hex, type RestorePlan } from "../../protocol/backup.ts";
import { openFolder, removeTree } from "./tree-removal.ts";
import { isUnsaved } from "./unsaved.ts";

/** Own files in the home, none of them kept. */
export const OWN_FOLDER = ".moltworker";
const ASIDE = ".moltworker-left-behind";
const MARK = "base.json";

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

/** Empties the home; answers what a former sandbox left, if that was a whole state. */
export function setAside(home: string): LeftBehind | undefined {
  mkdirSync(home, { recursive: true });
  const aside = join(home, ASIDE);
  const names = readdirSync(home).filter((name) => name !== ASIDE && !isUnsaved(name));
  if (readMark(home) === undefined) {
    // An interrupted start: what was aside before it is still the newest there is.
    for (const name of names) removeTree(join(home, name));
  } else {
    // Without a mark of its own it is the first half of this very move, interrupted.
    if (readMark(aside) !== undefined) removeTree(aside);
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    // The mark goes last: without it what was moved so far counts as nothing.
    for (const name of [...names.filter((one) => one !== OWN_FOLDER), OWN_FOLDER]) {
      openFolder(join(home, name));
      renameSync(join(home, name), join(aside, name));
    }
  }
  const found = readMark(aside);
  return found === undefined ? undefined : { folder: aside, mark: found };
}

export function dropLeftBehind(home: string): void {
  removeTree(join(home, ASIDE));
}

function readMark(folder: string): Mark | undefined {
  try {
    if (!lstatSync(join(folder, OWN_FOLDER)).isDirectory()) return undefined;
    const file = openSync(markPath(folder), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return mark.parse(JSON.parse(readFileSync(file, "utf8")));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
