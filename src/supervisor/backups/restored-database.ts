/**
 * Whether a restored database is whole and takes a write. The file itself is only read; what is
 * written goes into a scratch copy, which is there for one database at a time.
 */
import { constants, mkdirSync, rmSync } from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { problemIn, problemWithWriting } from "./database.ts";
import { messageOf } from "./tree.ts";

/** It says nothing about the database: there was no room, say. */
export class ScratchError extends Error {
  override readonly name = "ScratchError";
  readonly code = "scratch";
  constructor(problem: string) {
    super(`a database could not be tried in a scratch copy: ${problem}`);
  }
}

/**
 * What is wrong with it, or undefined. Throws when it could not be tried.
 *
 * @param scratch a folder for the copy; whatever is in it is removed
 */
export async function problemInRestored(
  path: string,
  scratch: string,
): Promise<string | undefined> {
  const copy = join(scratch, "restored.sqlite");
  try {
    // On another thread, while this one reads the file.
    const copying = copyTo(scratch, path, copy);
    let found: string | undefined;
    let problem: string | undefined;
    try {
      found = problemIn(path);
    } finally {
      problem = await copying;
    }
    if (found !== undefined) return found;
    if (problem !== undefined) throw new ScratchError(problem);
    return writeTo(copy);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function writeTo(copy: string): string | undefined {
  try {
    return problemWithWriting(copy, "COMMIT");
  } catch (error) {
    throw new ScratchError(messageOf(error));
  }
}

/** Answers what went wrong. A file system that can share the content of two files shares it. */
async function copyTo(scratch: string, from: string, to: string): Promise<string | undefined> {
  try {
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { recursive: true, mode: 0o700 });
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    // A database that its own modes close against writing takes one here all the same.
    await chmod(to, 0o600);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
