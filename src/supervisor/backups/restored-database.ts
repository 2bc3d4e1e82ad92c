/**
 * Whether a restored database is whole and takes a write. The file itself is only read; what is
 * written goes into the write-ahead log of a second name for it, or else into a scratch copy. Either is
 * there for one database at a time.
 */
import {
  accessSync,
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
} from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import { join } from "node:path";
import {
  HEADER_BYTES,
  logsItsWrites,
  problemIn,
  problemWithLogging,
  problemWithWriting,
} from "./database.ts";
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
 * @param scratch a folder for the second name or the copy; whatever is in it is removed
 */
export async function problemInRestored(
  path: string,
  scratch: string,
): Promise<string | undefined> {
  const other = join(scratch, "restored.sqlite");
  try {
    if (tryOrScratch(() => isNamedAgain(path, scratch, other))) {
      return problemIn(path) ?? tryOrScratch(() => problemBehind(other));
    }
    // On another thread, while this one reads the file.
    const copying = copyTo(path, other);
    let found: string | undefined;
    let problem: string | undefined;
    try {
      found = problemIn(path);
    } finally {
      problem = await copying;
    }
    if (found !== undefined) return found;
    if (problem !== undefined) throw new ScratchError(problem);
    return tryOrScratch(() => problemWithWriting(other, "COMMIT"));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function tryOrScratch<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new ScratchError(messageOf(error));
  }
}

/**
 * Whether a log can take its writes, and it has a second name now, beside which that log will lie. Copying
 * takes as long as reading all of it, and as much room.
 */
function isNamedAgain(path: string, scratch: string, other: string): boolean {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  try {
    if (!logsItsWrites(headerOf(path))) return false;
    // Of its own modes a copy is free.
    accessSync(path, constants.W_OK);
    linkSync(path, other);
    return true;
  } catch {
    // Nor does every file system have second names.
    return false;
  }
}

/** Throws when the file did not stay as it is. */
function problemBehind(other: string): string | undefined {
  const before = headerOf(other);
  const problem = problemWithLogging(other);
  if (!headerOf(other).equals(before)) throw new Error("its write reached the file itself");
  return problem;
}

function headerOf(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(file, header, 0, HEADER_BYTES, 0);
    return header;
  } finally {
    closeSync(file);
  }
}

/** Answers what went wrong. A file system that can share the content of two files shares it. */
async function copyTo(from: string, to: string): Promise<string | undefined> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    // A database that its own modes close against writing takes one here all the same.
    await chmod(to, 0o600);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
