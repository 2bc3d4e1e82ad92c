/** What a look at a state makes of it where the agent left something odd: nothing kept is lost by it. */
import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { markPath } from "../../src/supervisor/backups/home.ts";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, contentOf, link, put, rowsOf } from "../support/backup-state.ts";

let worker: WorkerSide;
let side: SandboxSide;
const sides: SandboxSide[] = [];

beforeEach(async () => {
  worker = await workerSide(memoryBucket());
  side = await start(1);
});

afterEach(() => {
  vi.useRealTimers();
  for (const one of sides.splice(0)) one.lose();
});

async function start(n: number): Promise<SandboxSide> {
  const started = await startSandboxSide(worker, n);
  sides.push(started);
  return started;
}

const unkept = () => side.backups.status().unkept;
const NOT_A_FOLDER = "it is a link or a file, and not a folder";

test.each([
  ["moved elsewhere, with a link in its place", "a link", NOT_A_FOLDER],
  ["moved elsewhere, with a file in its place", "a file", NOT_A_FOLDER],
  ["moved elsewhere", "nothing", "it is not there"],
])("a state folder that was %s is no empty state", async (_, inItsPlace, why) => {
  put(side.state, "workspace/MEMORY.md", "all I know");
  link(side.state, "workspace/link", "MEMORY.md");
  mkdirSync(join(side.state, "workspace/empty"));
  addRows(join(side.state, "state/openclaw.sqlite"), "row");
  const before = contentOf(side.state);
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  renameSync(side.state, join(side.home, "elsewhere"));
  if (inItsPlace === "a link") symlinkSync("elsewhere", side.state);
  if (inItsPlace === "a file") writeFileSync(side.state, "");
  for (const reason of ["change", "final"] as const) {
    const message = `.openclaw: ${why}`;
    expect(await side.backups.commit(reason)).toEqual({ ok: false, reason: "hole", message });
    expect(side.backups.status()).toMatchObject({ lastError: { message: `hole: ${message}` } });
  }
  const next = await start(2);
  expect(contentOf(next.state)).toEqual(before);
  rmSync(join(next.state, "workspace/link"));
  expect(await next.backups.commit("change")).toMatchObject({ ok: true, made: true, unkept: [] });
  expect(contentOf((await start(3)).state)).toEqual(contentOf(next.state));
});

test("a file where copies of databases are made fails the backup, and takes no database out of it", async () => {
  put(side.state, "workspace/MEMORY.md", "one");
  const paths = ["state/openclaw.sqlite", "workspace/own.sqlite"];
  for (const path of paths) addRows(join(side.state, path), "one");
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  // The mark is written after the answer.
  await vi.waitFor(() =>
    expect(readFileSync(markPath(side.home), "utf8")).toMatch(/"generation":1,"asked":\[\]/),
  );
  rmSync(join(side.home, ".moltworker"), { recursive: true });
  writeFileSync(join(side.home, ".moltworker"), "");
  put(side.state, "workspace/MEMORY.md", "two");
  for (const path of paths) addRows(join(side.state, path), "two");
  const made = await side.backups.commit("final");
  const message = expect.stringMatching(/no place for copies of databases: ENOTDIR/);
  expect(made).toMatchObject({ ok: false, reason: "reader", message });
  rmSync(join(side.home, ".moltworker"));
  expect(await side.backups.commit("final")).toMatchObject({ ok: true, made: true, unkept: [] });
  const { state } = await start(2);
  for (const path of paths) expect(rowsOf(join(state, path))).toEqual(["one", "two"]);
});

test.each([
  ["and nothing else changes", []],
  ["and something else changes", ["MEMORY.md"]],
])(
  "a large database that breaks soon after a check is found so a minute later, %s",
  async (_, changed) => {
    const path = join(side.state, "workspace/large.sqlite");
    mkdirSync(dirname(path));
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE t (v BLOB)");
    for (let i = 0; i < 9; i++) database.exec("INSERT INTO t VALUES (randomblob(1000000))");
    database.exec("CREATE TABLE u (v TEXT); INSERT INTO u VALUES ('x')");
    database.close();
    expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, statSync(path).size - 4096);
    closeSync(file);
    await sleep(100);
    expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    for (const one of changed) put(side.state, `workspace/${one}`, "two");
    expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
    const { state } = await start(2);
    expect(readdirSync(join(state, "workspace")).sort()).toEqual([...changed, "large.sqlite"]);
    // The copy has another change counter in its header.
    const [kept, broken] = [join(state, "workspace/large.sqlite"), path].map((one) =>
      readFileSync(one).subarray(100),
    );
    expect(kept?.equals(broken ?? Buffer.of())).toBe(true);
  },
);

/** A program that dies in the middle of a write, half of which is in the file. */
const KILLED_IN_A_WRITE = `
const { DatabaseSync } = require("node:sqlite");
const database = new DatabaseSync(process.argv[1]);
database.exec("PRAGMA cache_size = 1; BEGIN");
for (let i = 0; i < 500; i++) database.prepare("INSERT INTO t VALUES (?)").run("half".repeat(100));
process.kill(process.pid, "SIGKILL");
`;

test.each([
  ["its own", "workspace/own.sqlite"],
  ["the gateway's", "state/openclaw.sqlite"],
])("a database of %s whose writer was killed is kept as of its last commit", async (_, name) => {
  const path = join(side.state, name);
  addRows(path, "one");
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = DELETE; INSERT INTO t VALUES ('two')");
  database.close();
  spawnSync(process.execPath, ["-e", KILLED_IN_A_WRITE, path]);
  const left = [path, `${path}-journal`];
  const before = left.map((one) => readFileSync(one));
  expect(await side.backups.commit("final")).toMatchObject({ ok: true, made: true, unkept: [] });
  expect(left.map((one, i) => readFileSync(one).equals(before[i] ?? Buffer.of()))).toEqual([
    true,
    true,
  ]);
  expect(readdirSync(join(side.home, ".moltworker/scratch"))).toEqual([]);
  const { state } = await start(2);
  expect(rowsOf(join(state, name))).toEqual(["one", "two"]);
  // Undone where it is, it is the same.
  addRows(path);
  expect(rowsOf(path)).toEqual(["one", "two"]);
});

/** No path as long can be named as a whole, only from folder to folder. */
const MAKE_DEEP = `
process.chdir(process.argv[1]);
for (let i = 0; i < 25; i++) {
  fs.mkdirSync("\u00e4".repeat(100));
  process.chdir("\u00e4".repeat(100));
}
fs.writeFileSync("file", "x");
`;

test("folders deeper than a path can be long are reported, and in the way of no restore", async () => {
  put(side.state, "workspace/MEMORY.md", "one");
  spawnSync(process.execPath, ["-e", MAKE_DEEP, join(side.state, "workspace")]);
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  const name = "\u00e4".repeat(100);
  expect(unkept()).toEqual([
    { path: expect.stringContaining(`.openclaw/workspace/${name}/`), why: "its path is too long" },
  ]);
  const { state } = await start(2);
  expect(readdirSync(join(state, "workspace"))).toEqual(["MEMORY.md", name]);
  // Of 3,600 bytes: the state folder, the workspace, and folders of 201 with their slash.
  expect(readdirSync(state, { recursive: true })).toHaveLength(2 + Math.floor((3_600 - 19) / 201));
});

test("a link to a name that is not UTF-8 is reported, and stays as it was last kept", async () => {
  link(side.state, "workspace/link", "before.txt");
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  rmSync(join(side.state, "workspace/link"));
  symlinkSync(Buffer.from("caf\u00e9.txt", "latin1"), join(side.state, "workspace/link"));
  expect(await side.backups.commit("change")).toMatchObject({ ok: true });
  expect(unkept()).toEqual([
    { path: ".openclaw/workspace/link", why: "where it leads cannot be kept" },
  ]);
  expect(readlinkSync(join((await start(2)).state, "workspace/link"))).toBe("before.txt");
});

test("what lies beside a database that SQLite cannot read is kept with it, pass after pass", async () => {
  const encrypted = Buffer.concat([Buffer.from("SQLite format 3\0"), randomBytes(9000)]);
  put(side.state, "workspace/vault.db", encrypted);
  put(side.state, "workspace/vault.db-wal", randomBytes(5000));
  put(side.state, "workspace/vault.db-journal", randomBytes(500));
  addRows(join(side.state, "workspace/own.sqlite"), "one");
  const open = new DatabaseSync(join(side.state, "workspace/own.sqlite"));
  open.exec("INSERT INTO t VALUES ('two')");
  await sleep(100);
  for (const text of ["one", "two"]) {
    put(side.state, "workspace/MEMORY.md", text);
    expect(await side.backups.commit("final")).toMatchObject({ ok: true, made: true, unkept: [] });
  }
  open.close();
  const { state } = await start(2);
  const names = ["MEMORY.md", "own.sqlite", "vault.db", "vault.db-journal", "vault.db-wal"];
  expect(readdirSync(join(state, "workspace")).sort()).toEqual(names);
  for (const name of names.slice(2)) {
    const [before, after] = [side.state, state].map((at) =>
      readFileSync(join(at, "workspace", name)),
    );
    expect(after?.equals(before ?? Buffer.of())).toBe(true);
  }
});

test("beside a database that cannot be read for now no log of a later time is kept", async () => {
  const path = join(side.state, "workspace/own.sqlite");
  addRows(path, "one");
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  const writer = new DatabaseSync(path);
  writer.exec("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1");
  writer.exec("BEGIN EXCLUSIVE; UPDATE t SET v = 'half'");
  for (let i = 0; i < 50; i++) writer.exec("INSERT INTO t VALUES (hex(randomblob(4000)))");
  put(side.state, "workspace/MEMORY.md", "meanwhile");
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  expect(unkept().map((one) => one.path)).toEqual([".openclaw/workspace/own.sqlite"]);
  writer.close();
  const { state } = await start(2);
  expect(readdirSync(join(state, "workspace")).sort()).toEqual(["MEMORY.md", "own.sqlite"]);
  expect(rowsOf(join(state, "workspace/own.sqlite"))).toEqual(["one"]);
});
