import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { problemIn, problemInRestored } from "./database.ts";

const PAGE = 4096;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "database-"))));
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

function make(name: string, journal: "WAL" | "DELETE" = "WAL"): string {
  const path = join(folder, name);
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = ${journal}; CREATE TABLE t (v TEXT); BEGIN`);
  const insert = database.prepare("INSERT INTO t VALUES (?)");
  for (let i = 0; i < 500; i++) insert.run(`row ${i} ${"x".repeat(100)}`);
  database.exec("COMMIT");
  database.close();
  return path;
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

describe("the check of a restored database", () => {
  it.each([
    ["a.sqlite", "WAL"],
    ["a.sqlite", "DELETE"],
    ["50% of what?#\n.sqlite", "WAL"],
  ] as const)(
    "finds nothing wrong with a sound one (%j, %s) and leaves it as it is",
    (name, mode) => {
      const path = make(name, mode);
      const [bytes, before] = [readFileSync(path), statSync(path, { bigint: true })];
      expect(problemInRestored(path)).toBeUndefined();
      const { mtimeNs, ctimeNs } = statSync(path, { bigint: true });
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect({ mtimeNs, ctimeNs }).toEqual({ mtimeNs: before.mtimeNs, ctimeNs: before.ctimeNs });
      expect(readdirSync(folder)).toEqual([name]);
    },
  );

  it("finds a page that is damaged", () => {
    const path = make("a.sqlite");
    overwrite(path, 3 * PAGE, Buffer.alloc(PAGE, 0x5a));
    expect(problemInRestored(path)).toMatch(/\S/);
  });

  it("finds that it is none", () => {
    const path = make("a.sqlite");
    overwrite(path, 0, Buffer.from("something else altogether"));
    expect(problemInRestored(path)).toMatch(/not a database/);
  });

  it("finds that it takes no write, although it can be read", () => {
    const path = make("a.sqlite");
    // The file format's write version: a later one than SQLite knows makes it read-only.
    overwrite(path, 18, Buffer.from([9]));
    expect(problemIn(path)).toBeUndefined();
    expect(problemInRestored(path)).toMatch(/readonly/);
  });

  it("holds nothing against one that its modes close against writing", () => {
    const path = make("a.sqlite");
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    expect(problemInRestored(path)).toBeUndefined();
  });

  it("says nothing about one that cannot be opened", () => {
    const path = join(folder, "is-a-folder.sqlite");
    mkdirSync(path);
    expect(() => problemInRestored(path)).toThrow(/I.O error|unable to open/);
    expect(() => problemInRestored(join(folder, "gone.sqlite"))).toThrow(/unable to open/);
  });
});
