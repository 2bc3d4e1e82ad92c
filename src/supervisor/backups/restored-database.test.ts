import { execFileSync } from "node:child_process";
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
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { problemIn, problemWithWriting } from "./database.ts";
import { problemInRestored } from "./restored-database.ts";

const PAGE = 4096;

let folder: string;
let scratch: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "database-"));
  scratch = join(mkdtempSync(join(tmpdir(), "scratch-")), "here");
});
afterEach(() => {
  rmSync(dirname(scratch), { recursive: true, force: true });
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

const check = (path: string) => problemInRestored(path, scratch);

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
    async (name, mode) => {
      const path = make(name, mode);
      const [bytes, before] = [readFileSync(path), statSync(path, { bigint: true })];
      expect(await check(path)).toBeUndefined();
      const { mtimeNs, nlink } = statSync(path, { bigint: true });
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect({ mtimeNs, nlink }).toEqual({ mtimeNs: before.mtimeNs, nlink: 1n });
      expect(readdirSync(folder)).toEqual([name]);
      expect(readdirSync(dirname(scratch))).toEqual([]);
    },
  );

  it("finds a page that is damaged", async () => {
    const path = make("a.sqlite");
    overwrite(path, 3 * PAGE, Buffer.alloc(PAGE, 0x5a));
    expect(await check(path)).toMatch(/\S/);
  });

  it("finds that it is none", async () => {
    const path = make("a.sqlite");
    overwrite(path, 0, Buffer.from("something else altogether"));
    expect(await check(path)).toMatch(/not a database/);
  });

  it("finds that it takes no write, although it can be read", async () => {
    const path = make("a.sqlite");
    // The file format's write version: a later one than SQLite knows makes it read-only.
    overwrite(path, 18, Buffer.from([9]));
    expect(problemIn(path)).toBeUndefined();
    expect(await check(path)).toMatch(/readonly/);
  });

  it("has one that its modes close against writing take a write all the same", async () => {
    const path = make("a.sqlite", "DELETE");
    const late = make("late.sqlite", "DELETE");
    overwrite(late, 18, Buffer.from([9]));
    for (const one of [path, late]) chmodSync(one, 0o444);
    chmodSync(folder, 0o555);
    expect(await check(path)).toBeUndefined();
    expect(await check(late)).toMatch(/readonly/);
  });

  it("is not disturbed by what a killed one left", async () => {
    const path = make("a.sqlite");
    mkdirSync(scratch);
    for (const suffix of ["", "-wal", "-journal"]) {
      writeFileSync(join(scratch, `restored.sqlite${suffix}`), "of a check that was killed");
    }
    expect(await check(path)).toBeUndefined();
    expect(readdirSync(dirname(scratch))).toEqual([]);
  });

  it("writes no second copy of one with a write-ahead log, and of another one does", () => {
    const program = join(import.meta.dirname, "restored-database.ts");
    // In a process that may write files of up to 40 KB; each of the databases has more.
    const tried = (path: string) => {
      const code =
        `import { problemInRestored } from ${JSON.stringify(program)};` +
        `const found = await problemInRestored(${JSON.stringify(path)}, ${JSON.stringify(scratch)})` +
        ".catch((error) => error.message); console.log(String(found));";
      const run = ["-c", 'ulimit -f 40; exec "$0" --input-type=module-typescript -e "$1"'];
      return execFileSync("bash", [...run, process.execPath, code], { encoding: "utf8" }).trim();
    };
    expect(tried(make("a.sqlite", "WAL"))).toBe("undefined");
    expect(tried(make("b.sqlite", "DELETE"))).toMatch(/scratch copy.*EFBIG/);
  });

  it("says nothing about one that cannot be opened", async () => {
    const path = join(folder, "is-a-folder.sqlite");
    mkdirSync(path);
    await expect(check(path)).rejects.toThrow(/I.O error|unable to open/);
    await expect(check(join(folder, "gone.sqlite"))).rejects.toThrow(/unable to open/);
  });

  it("says nothing about one that cannot be copied", async () => {
    const path = make("a.sqlite");
    const file = join(folder, "file");
    writeFileSync(file, "");
    const tried = problemInRestored(path, join(file, "below"));
    await expect(tried).rejects.toThrow(/scratch copy.*ENOTDIR/);
  });
});

describe("a write for a try", () => {
  const versionOf = (path: string) => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return database.prepare("PRAGMA user_version").get();
    } finally {
      database.close();
    }
  };

  it.each(["WAL", "DELETE"] as const)("reaches the file, or leaves it as it is (%s)", (mode) => {
    const path = make("a.sqlite", mode);
    const before = readFileSync(path);
    expect(problemWithWriting(path, "ROLLBACK")).toBeUndefined();
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(problemWithWriting(path, "COMMIT")).toBeUndefined();
    expect(versionOf(path)).toEqual({ user_version: 2_147_483_647 });
  });
});
