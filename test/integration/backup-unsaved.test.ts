/** A newer state that a crash left on a local disk and that cannot become a generation. */
import { once } from "node:events";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import {
  readerGoneAt,
  readerHere,
  sandboxSide,
  startSandboxSide,
  type SandboxSide,
} from "../support/backup-sandbox-side.ts";
import { addRows, put, rowsOf } from "../support/backup-state.ts";

const DATABASE = "state/openclaw.sqlite";

let worker: WorkerSide;
let side: SandboxSide;

beforeEach(async () => {
  worker = await workerSide(memoryBucket());
  side = await startSandboxSide(worker, 1);
  addRows(join(side.state, DATABASE), "good");
  await side.backups.commit("change");
});

afterEach(() => side.lose());

/** As a crash leaves it, after something broke the gateway's own database. */
function breakDown(text: string): void {
  put(side.state, "workspace/MEMORY.md", text);
  put(side.state, DATABASE, `SQLite format 3\0${"x".repeat(9000)}`);
  side.backups.close();
}

async function startAgain(n: number, openReader = readerHere): Promise<void> {
  side = await startSandboxSide(worker, n, { home: side.home, openReader });
}

/** As a crash leaves it, whole; the first `gone` readers of the next start break off. */
async function startOverReaders(gone: number, at: "open" | "scan"): Promise<number> {
  put(side.state, "workspace/MEMORY.md", "written last");
  side.backups.close();
  let opened = 0;
  await startAgain(2, () => (opened++ < gone ? readerGoneAt(at) : readerHere()));
  return opened;
}

const unsaved = () => readdirSync(side.home).filter((name) => name.includes("unsaved"));
const memoryIn = (name: string) =>
  readFileSync(join(side.home, name, ".openclaw/workspace/MEMORY.md"), "utf8");

test("stays on the disk under another name, which every later start reports", async () => {
  breakDown("written last");
  await startAgain(2);
  expect(rowsOf(join(side.state, DATABASE))).toEqual(["good"]);
  const [name = ""] = unsaved();
  expect(memoryIn(name)).toBe("written last");
  const reported = [expect.objectContaining({ path: name })];
  expect(side.backups.status()).toMatchObject({ state: "watching", unkept: reported });
  put(side.state, "workspace/new", "x");
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  side.backups.close();
  await startAgain(3);
  expect(memoryIn(name)).toBe("written last");
  expect(side.backups.status().unkept).toEqual(reported);
});

test("stays on the disk when an admin restores a generation over it", async () => {
  put(side.state, "workspace/MEMORY.md", "written last");
  put(side.state, DATABASE, `SQLite format 3\0${"x".repeat(9000)}`);
  expect(await side.backups.commit("manual")).toMatchObject({ ok: false, reason: "broken" });
  side.backups.close();
  expect(await worker.backups.restoreTo(1)).toMatchObject({ ok: true });
  await startAgain(2);
  expect(rowsOf(join(side.state, DATABASE))).toEqual(["good"]);
  expect(unsaved().map(memoryIn)).toEqual(["written last"]);
});

test("of many such states the newest few stay", async () => {
  for (let n = 2; n < 7; n++) {
    breakDown(`${n}`);
    await startAgain(n);
  }
  expect(unsaved().map(memoryIn).sort()).toEqual(["4", "5", "6"]);
});

test("is tried again when that start fails for another reason", async () => {
  breakDown("written last");
  await worker.backups.claim(2);
  const host = worker.host(2);
  host.outcome = () => Promise.resolve({ ok: false, reason: "store", message: "no answer" });
  const failing = sandboxSide(host, {}, side.home);
  expect(await failing.backups.restore()).toMatchObject({ outcome: "failed", reason: "store" });
  // Meanwhile somebody mended it where it lay.
  const aside = join(side.home, ".moltworker-left-behind/.openclaw");
  rmSync(join(aside, DATABASE));
  addRows(join(aside, DATABASE), "mended");
  await startAgain(3);
  expect(rowsOf(join(side.state, DATABASE))).toEqual(["mended"]);
  expect(unsaved()).toEqual([]);
});

test.each(["open", "scan"] as const)(
  "a reader that breaks off (%s) is followed by others until one keeps it",
  async (at) => {
    // Three break off, the fourth keeps it, the fifth follows the home.
    expect(await startOverReaders(3, at)).toBe(5);
    expect(unsaved()).toEqual([]);
    expect(readFileSync(join(side.state, "workspace/MEMORY.md"), "utf8")).toBe("written last");
    const listed = await worker.backups.list();
    expect(listed.ok && listed.value.map(({ reason }) => reason)).toEqual(["recovery", "change"]);
  },
);

test("one that breaks off again and again leaves it on the disk under the other name", async () => {
  expect(await startOverReaders(4, "scan")).toBe(5);
  expect(unsaved().map(memoryIn)).toEqual(["written last"]);
});

describe("where an older generation was made the newest meanwhile", () => {
  const SETTLED = ".moltworker/settled";
  const isSettled = () => existsSync(join(side.home, SETTLED));

  async function restoreToTheFirst(): Promise<void> {
    side.backups.close();
    expect(await worker.backups.restoreTo(1)).toMatchObject({ ok: true });
    await startAgain(2);
    expect(existsSync(join(side.state, "workspace/MEMORY.md"))).toBe(false);
  }

  beforeEach(async () => {
    put(side.state, "workspace/MEMORY.md", "two");
    await side.backups.commit("change");
    await vi.waitUntil(isSettled);
  });

  test("what no backup took stays", async () => {
    put(side.state, "workspace/MEMORY.md", "hours of work that no bucket took");
    await vi.waitUntil(() => !isSettled());
    await restoreToTheFirst();
    expect(unsaved().map(memoryIn)).toEqual(["hours of work that no bucket took"]);
    expect(side.backups.status().unkept).toHaveLength(1);
  });

  test("what was written just before the end stays", async () => {
    // As after a kill, before which no watch could tell.
    const settled = readFileSync(join(side.home, SETTLED));
    // As a number of seconds: a `Date` may be later than the moment that it was made of.
    const moment = Math.floor(statSync(join(side.home, SETTLED)).mtimeMs) / 1000;
    put(side.state, "workspace/MEMORY.md", "written last");
    await vi.waitUntil(() => !isSettled());
    writeFileSync(join(side.home, SETTLED), settled);
    utimesSync(join(side.home, SETTLED), moment, moment);
    await restoreToTheFirst();
    expect(unsaved().map(memoryIn)).toEqual(["written last"]);
  });

  test("what a backup was asked for in vain stays", async () => {
    put(side.state, "workspace/MEMORY.md", "three");
    const take = worker.bucket.put;
    worker.bucket.put = () => Promise.reject(new Error("no bucket"));
    expect(await side.backups.commit("change")).toMatchObject({ ok: false });
    worker.bucket.put = take;
    expect(isSettled()).toBe(false);
    await restoreToTheFirst();
    expect(unsaved().map(memoryIn)).toEqual(["three"]);
  });

  test("what a generation holds is dropped, also after a look that found no change", async () => {
    put(side.state, "workspace/MEMORY.md", "two");
    await vi.waitUntil(() => !isSettled());
    expect(await side.backups.commit("final")).toMatchObject({ ok: true, made: false });
    expect(isSettled()).toBe(true);
    await restoreToTheFirst();
    expect(unsaved()).toEqual([]);
  });

  test("what an older release left, of which that is not known, stays", async () => {
    rmSync(join(side.home, SETTLED));
    await restoreToTheFirst();
    expect(unsaved().map(memoryIn)).toEqual(["two"]);
  });

  test("what could not be kept with it stays", async () => {
    writeFileSync(unkeepable(), "content");
    expect(await side.backups.commit("final")).toMatchObject({ ok: true });
    expect(isSettled()).toBe(false);
    await restoreToTheFirst();
    expect(unsaved().map(memoryIn)).toEqual(["two"]);
  });
});

/** A name that is not UTF-8. */
function unkeepable(folder = side.state): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/workspace/caf`), Buffer.from([0xe9])]);
}

test("stays beside its generation when something of it could not be kept", async () => {
  put(side.state, "workspace/MEMORY.md", "written last");
  writeFileSync(unkeepable(), "content");
  side.backups.close();
  await startAgain(2);
  expect(readFileSync(join(side.state, "workspace/MEMORY.md"), "utf8")).toBe("written last");
  const [name = ""] = unsaved();
  expect(readFileSync(unkeepable(join(side.home, name, ".openclaw")), "utf8")).toBe("content");
  expect(side.backups.status().unkept).toEqual([expect.objectContaining({ path: name })]);
});

test("does not stay for a socket, in which there is nothing", async () => {
  put(side.state, "workspace/MEMORY.md", "written last");
  const socket = createServer().listen(join(side.state, "workspace/socket"));
  await once(socket, "listening");
  side.backups.close();
  await startAgain(2);
  expect(readFileSync(join(side.state, "workspace/MEMORY.md"), "utf8")).toBe("written last");
  expect(unsaved()).toEqual([]);
  socket.close();
});

test("a start that is killed after the generation was made and before the restore keeps it once", async () => {
  put(side.state, "workspace/MEMORY.md", "written last");
  side.backups.close();
  await worker.backups.claim(2);
  const host = worker.host(2);
  host.outcome = () => Promise.resolve({ ok: false, reason: "store", message: "no answer" });
  const failing = sandboxSide(host, {}, side.home);
  expect(await failing.backups.restore()).toMatchObject({ outcome: "failed", reason: "store" });
  await startAgain(3);
  expect(readFileSync(join(side.state, "workspace/MEMORY.md"), "utf8")).toBe("written last");
  expect(unsaved()).toEqual([]);
  const listed = await worker.backups.list();
  expect(listed.ok && listed.value.map(({ reason }) => reason)).toEqual(["recovery", "change"]);
});
