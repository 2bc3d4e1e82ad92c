/**
 * Consistent copies of SQLite databases that are in use, by SQLite's own online backup, and what
 * makes two copies of one content the same bytes.
 *
 * `state_leases` says which gateway owns the state; a copy has no owner, and the heartbeat that
 * rewrites the row twice a minute is no change. With `secure_delete` the emptied table leaves zeroes.
 * The change counter in the file's header counts commits, also of that heartbeat; a copy has 1.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lstatSync,
  openSync,
  writeSync,
} from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { BUSY_MS, isLeftInAWrite } from "./database.ts";
import { messageOf } from "./tree.ts";

const ALL_AT_ONCE = 1_000_000;

/** Offsets of the file change counter and of its copy (SQLite file format, 1.3). */
const CHANGE_COUNTER = 24;
const VERSION_VALID_FOR = 92;

/** It cannot be copied at the moment, and nothing is wrong with it. */
export class UncopiedError extends Error {
  override readonly name = "UncopiedError";
  readonly code = "uncopied";
}

/** Throws when the database is locked for good or is none. `to` is empty. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  try {
    await copyOnline(from, to);
  } catch (error) {
    if (!isLeftInAWrite(error)) throw error;
    copyUndone(from, to);
  }
  dropLeases(to);
  resetChangeCounter(to);
}

async function copyOnline(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_MS });
  try {
    // Says which lock is in the way; a backup that meets one only says that there was no error.
    source.exec("PRAGMA user_version");
    await backup(source, to, { rate: ALL_AT_ONCE });
  } finally {
    source.close();
  }
}

/** What a killed writer had begun is undone from the journal that it left, in a copy of both. */
function copyUndone(from: string, to: string): void {
  try {
    const before = standOf(from);
    for (const suffix of ["", "-journal"]) {
      copyFileSync(from + suffix, to + suffix, constants.COPYFILE_FICLONE);
      chmodSync(to + suffix, 0o600);
    }
    if (standOf(from) !== before) throw new Error("it changed while it was copied");
  } catch (error) {
    throw new UncopiedError(messageOf(error));
  }
  const copy = new DatabaseSync(to);
  try {
    // The first to read undoes it.
    copy.exec("PRAGMA user_version");
  } finally {
    copy.close();
  }
}

function standOf(path: string): string {
  return ["", "-journal"]
    .map((suffix) => lstatSync(path + suffix, { bigint: true }))
    .map(({ ino, size, mtimeNs, ctimeNs }) => `${ino}:${size}:${mtimeNs}:${ctimeNs}`)
    .join(" ");
}

function dropLeases(path: string): void {
  const copy = new DatabaseSync(path);
  try {
    const table = copy
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'state_leases'")
      .get();
    if (table === undefined) return;
    copy.exec("PRAGMA synchronous = OFF; PRAGMA secure_delete = ON; DELETE FROM state_leases;");
  } finally {
    copy.close();
  }
}

function resetChangeCounter(path: string): void {
  const one = Buffer.from([0, 0, 0, 1]);
  const file = openSync(path, "r+");
  try {
    writeSync(file, one, 0, 4, CHANGE_COUNTER);
    writeSync(file, one, 0, 4, VERSION_VALID_FOR);
  } finally {
    closeSync(file);
  }
}
