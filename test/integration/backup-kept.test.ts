/** What of a state is kept, where some of it is odd, in the way, or cannot be read. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, contentOf, put, rowsOf } from "../support/backup-state.ts";

let worker: WorkerSide;
let side: SandboxSide;
const sides: SandboxSide[] = [];

beforeEach(async () => {
  worker = await workerSide(memoryBucket());
  side = await start(1);
});

afterEach(() => {
  for (const one of sides.splice(0)) one.lose();
});

async function start(n: number): Promise<SandboxSide> {
  const started = await startSandboxSide(worker, n);
  sides.push(started);
  return started;
}

async function keep(one = side): Promise<void> {
  expect(await one.backups.commit("change")).toMatchObject({ ok: true });
}

const unkept = () => side.backups.status().unkept;

test("a file of long ago is kept like any other", async () => {
  put(side.state, "workspace/old", "x");
  const before = new Date("1969-01-01");
  utimesSync(join(side.state, "workspace/old"), before, before);
  await keep();
  expect(contentOf((await start(2)).state)).toEqual(contentOf(side.state));
});

test("only SQLite's own files beside a database are left out", async () => {
  put(side.state, "workspace/sleep/log.md", "slept");
  put(side.state, "workspace/sleep-journal/monday.md", "a dream");
  put(side.state, "workspace/notes", "plain text");
  put(side.state, "workspace/notes-wal", "about a wall");
  put(side.state, "agents/a.lock/notes.md", "of an agent with an odd name");
  const path = join(side.state, "workspace/own.sqlite");
  addRows(path, "one");
  const open = new DatabaseSync(path);
  open.exec("INSERT INTO t VALUES ('two')");
  expect(readdirSync(join(side.state, "workspace"))).toContain("own.sqlite-wal");
  await keep();
  open.close();
  const { state } = await start(2);
  expect(readdirSync(join(state, "workspace")).sort()).toEqual(
    ["notes", "notes-wal", "own.sqlite", "sleep", "sleep-journal"].sort(),
  );
  expect(rowsOf(join(state, "workspace/own.sqlite"))).toEqual(["one", "two"]);
  expect(Object.keys(contentOf(state))).toEqual(
    expect.arrayContaining(["workspace/sleep-journal/monday.md", "agents/a.lock/notes.md"]),
  );
});

test("what cannot be read stays as it was last kept, however much of it there is", async () => {
  const paths = Array.from({ length: 25 }, (_, i) => `workspace/${i}`);
  for (const path of paths) put(side.state, path, path);
  await keep();
  for (const path of paths) rmSync(join(side.state, path));
  execFileSync("bash", ["-c", 'mkfifo "$@"', "", ...paths], { cwd: side.state });
  put(side.state, "workspace/new", "x");
  await keep();
  expect(unkept()).toHaveLength(20);
  const again = await start(2);
  for (const path of paths) expect(readFileSync(join(again.state, path), "utf8")).toBe(path);
  rmSync(join(again.state, "workspace/0"));
  put(again.state, "workspace/1", "readable again, and another");
  await keep(again);
  expect(contentOf((await start(3)).state)).toEqual(contentOf(again.state));
});

test("a database of the agent's own that takes no write is a file like any other", async () => {
  const path = join(side.state, "workspace/own.sqlite");
  addRows(path, "one");
  // The format's write version: a later one than SQLite knows makes it read-only.
  const bytes = readFileSync(path);
  bytes[18] = 3;
  put(side.state, "workspace/own.sqlite", bytes);
  await keep();
  put(side.state, "workspace/MEMORY.md", "kept after it");
  await keep();
  const { state } = await start(2);
  expect(readFileSync(join(state, "workspace/MEMORY.md"), "utf8")).toBe("kept after it");
  expect(rowsOf(join(state, "workspace/own.sqlite"))).toEqual(["one"]);
});

test("a database that is locked stays as it was last kept, and comes with the next pass", async () => {
  const path = join(side.state, "workspace/own.sqlite");
  addRows(path, "one");
  await keep();
  const writer = new DatabaseSync(path);
  writer.exec("PRAGMA journal_mode = DELETE; PRAGMA cache_spill = 1; PRAGMA cache_size = 1");
  writer.exec("BEGIN EXCLUSIVE; UPDATE t SET v = 'half'");
  for (let i = 0; i < 50; i++) writer.exec("INSERT INTO t VALUES (hex(randomblob(4000)))");
  put(side.state, "workspace/MEMORY.md", "meanwhile");
  await keep();
  expect(unkept()).toEqual([
    { path: ".openclaw/workspace/own.sqlite", why: expect.stringMatching(/locked/) },
  ]);
  writer.exec("ROLLBACK");
  writer.close();
  const again = await start(2);
  expect(rowsOf(join(again.state, "workspace/own.sqlite"))).toEqual(["one"]);
  expect(readFileSync(join(again.state, "workspace/MEMORY.md"), "utf8")).toBe("meanwhile");
  addRows(join(again.state, "workspace/own.sqlite"), "two");
  await keep(again);
  expect(again.backups.status().unkept).toEqual([]);
  expect(rowsOf(join((await start(3)).state, "workspace/own.sqlite"))).toEqual(["one", "two"]);
});
