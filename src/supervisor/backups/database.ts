/** What SQLite says of a database: whether it is whole, takes a write, and whose fault an error is. */
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

const MAGIC = Buffer.from("SQLite format 3\0");
export const BUSY_MS = 2_000;
/** The version that a write for a try gives a database. */
const WRITTEN = 2_147_483_647;
const NOT_THERE = "what was written is not there";

/** Write and read version (SQLite file format, 1.3): both are 2 where commits go into a write-ahead log. */
const FORMAT_VERSIONS = 18;
const LOGGED = Buffer.from([2, 2]);
export const HEADER_BYTES = 100;

export function looksLikeDatabase(head: Buffer): boolean {
  return head.length >= MAGIC.length && head.subarray(0, MAGIC.length).equals(MAGIC);
}

/** @param header its first bytes, {@link HEADER_BYTES} of them */
export function logsItsWrites(header: Buffer): boolean {
  return header.subarray(FORMAT_VERSIONS, FORMAT_VERSIONS + LOGGED.length).equals(LOGGED);
}

/**
 * What is wrong with a database that nobody has open, or undefined. Reads all of it and changes
 * nothing, beside it neither. Throws when it could not be read: that says nothing about it.
 */
export function problemIn(path: string): string | undefined {
  const whole = pathToFileURL(path);
  whole.searchParams.set("immutable", "1");
  return problemOf(() => {
    const database = new DatabaseSync(whole, { readOnly: true });
    try {
      const row = database.prepare("PRAGMA integrity_check(1)").get();
      const said = row?.["integrity_check"];
      return said === "ok" ? undefined : String(said).slice(0, 300);
    } finally {
      database.close();
    }
  });
}

/**
 * What keeps a database from taking a write, or undefined: a later format than SQLite knows, say, makes one
 * read-only for ever. With `ROLLBACK` it stays as it is; `COMMIT` is for a copy that nobody needs.
 */
export function problemWithWriting(path: string, end: "COMMIT" | "ROLLBACK"): string | undefined {
  return problemOf(() => {
    const database = new DatabaseSync(path, { timeout: BUSY_MS });
    try {
      database.exec("PRAGMA synchronous = OFF; BEGIN IMMEDIATE");
      database.exec(`PRAGMA user_version = ${WRITTEN}; ${end}`);
      if (end === "ROLLBACK") return undefined;
      const row = database.prepare("PRAGMA user_version").get();
      return row?.["user_version"] === WRITTEN ? undefined : NOT_THERE;
    } finally {
      database.close();
    }
  });
}

/**
 * The same of one whose commits go into a write-ahead log beside it. That log is never brought into the
 * file, which stays as it is: the last to close would do that, and here may only read.
 */
export function problemWithLogging(path: string): string | undefined {
  return problemOf(() => {
    const reader = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
    try {
      const version = reader.prepare("PRAGMA user_version");
      // From here on it holds the log open.
      version.get();
      const database = new DatabaseSync(path, { timeout: BUSY_MS });
      try {
        database.exec("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE");
        database.exec(`PRAGMA user_version = ${WRITTEN}; COMMIT`);
      } finally {
        database.close();
      }
      return version.get()?.["user_version"] === WRITTEN ? undefined : NOT_THERE;
    } finally {
      reader.close();
    }
  });
}

/**
 * No error (so says a backup that a lock came in the way of), busy, locked, no memory, no permission,
 * no space, an error of the disk, no way to open a file: reasons of this machine, not of the
 * database. https://www.sqlite.org/rescode.html
 */
const OUTER: ReadonlySet<number> = new Set([0, 3, 5, 6, 7, 10, 13, 14]);
/** Read-only, no way to open a file. */
const SHUT_IN: ReadonlySet<number> = new Set([8, 14]);
const PRIMARY_CODE = 0xff;
/** https://www.sqlite.org/rescode.html#readonly_rollback */
const READONLY_ROLLBACK = 776;

function problemOf(look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (error) {
    if (isOuter(error)) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether an error says nothing about the database itself. */
export function isOuter(error: unknown): boolean {
  return !isOfSqlite(error) || OUTER.has(error.errcode & PRIMARY_CODE);
}

/** Whether SQLite could not make its own files beside the database, which reading takes, too. */
export function isShutIn(error: unknown): boolean {
  return isOfSqlite(error) && SHUT_IN.has(error.errcode & PRIMARY_CODE);
}

/** Whether its last writer was killed in a write, which whoever only reads cannot undo. */
export function isLeftInAWrite(error: unknown): boolean {
  return isOfSqlite(error) && error.errcode === READONLY_ROLLBACK;
}

export function isOfSqlite(error: unknown): error is Error & { errcode: number } {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number";
}
