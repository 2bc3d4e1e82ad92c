/** The folder for copies of databases, which lies in the agent's home: whatever the agent puts there. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf } from "./tree.ts";

/** It says nothing about any database: with it nothing can be said of the state. */
export class ScratchFolderError extends Error {
  override readonly name = "ScratchFolderError";
  readonly code = "scratch-folder";
  constructor(problem: string) {
    super(`there is no place for copies of databases: ${problem}`);
  }
}

/** Work whose errors are about the folder, whatever they are. */
export function inScratch<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new ScratchFolderError(messageOf(error));
  }
}

/** Leaves an empty file: SQLite's own words about one it cannot make do not say where. */
export function makePlaceFor(copy: string): void {
  inScratch(() => {
    mkdirSync(dirname(copy), { recursive: true, mode: 0o700 });
    remove(copy);
    writeFileSync(copy, "", { flag: "wx", mode: 0o600 });
  });
}

export function clearPlaceOf(copy: string): void {
  inScratch(() => remove(copy));
}

function remove(copy: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(copy + suffix, { force: true });
}
