/**
 * A note of the supervisor's own in a home that is being restored, from before anything is written
 * there until the home has its mark. A home with this note and without a mark holds nothing but
 * (a part of) what a generation holds; no program of the agent has run over it.
 *
 * Between two starts the home is the agent's, who may forge the note or take it away: that decides
 * about the agent's own state and about nothing else.
 */
import { closeSync, constants, fsyncSync, lstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "./tree-removal.ts";

export const UNFINISHED = ".moltworker-restoring";

export function isUnfinished(home: string): boolean {
  return lstatSync(join(home, UNFINISHED), { throwIfNoEntry: false })?.isFile() === true;
}

/** It is on the disk before anything of a restore is. */
export function beginUnfinished(home: string): void {
  const path = join(home, UNFINISHED);
  // Whatever has that name is replaced and not written through.
  removeTree(path);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  syncAndClose(openSync(path, flags, 0o600));
  syncAndClose(openSync(home, constants.O_RDONLY | constants.O_DIRECTORY));
}

export function endUnfinished(home: string): void {
  removeTree(join(home, UNFINISHED));
}

function syncAndClose(file: number): void {
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
