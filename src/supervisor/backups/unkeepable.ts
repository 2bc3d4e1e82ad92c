/** States of which nothing is kept, because what would be kept is not the agent's state any more. */
import { isVital } from "../../archive/kept.ts";
import type { Entry } from "./tree.ts";

export class BrokenDatabaseError extends Error {
  override readonly name = "BrokenDatabaseError";
  readonly code = "broken-database";
}

/** Something that the gateway lives from is not where it was: all the rest would be no state. */
export class HoleError extends Error {
  override readonly name = "HoleError";
  readonly code = "hole";
}

/**
 * What is vital comes first in the walk: nothing has been sent in vain.
 *
 * @throws {HoleError}
 */
export function requireVital(entry: Entry): void {
  if (entry.kind === "folder" || !isVital(entry.path)) return;
  if (entry.kind === "unkept") {
    if (entry.beyond === true) return;
    throw new HoleError(`${entry.path}: ${entry.why}`);
  }
  throw new HoleError(`${entry.path} is a ${entry.kind}, and what was in it would not be kept`);
}
