/** What proves that a backup can be restored: the drill of the day and every start, with both ends of the backups as they are, and a clock that is set by hand. */
import { existsSync } from "node:fs";
import { generateX25519Identity } from "age-encryption";
import { afterEach, beforeEach, expect, test } from "vitest";
import { drill } from "../../src/supervisor/backups/session-backups.ts";
import { Drills } from "../../src/worker/agent/backups/drills.ts";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import { notebook, TOKEN, workerSide, type WorkerSide } from "../support/backup-rig.ts";
import {
  readerGoneAt,
  readerHere,
  startSandboxSide,
  type SandboxSide,
} from "../support/backup-sandbox-side.ts";
import { addRows, put } from "../support/backup-state.ts";

const HOUR = 3_600_000;

let now: number;
let bucket: MemoryBucket;
let worker: WorkerSide;
let side: SandboxSide;
let drilled: number[];
let alerts: string[];
let drills: Drills;
/** Where alerts are raised, and which of them stands. */
const board = {
  raise(kind: string, text: string) {
    alerts.push(text);
    standing.add(kind);
  },
  allIsWell: (kind: string) => void standing.delete(kind),
};
let standing: Set<string>;
let room: number;

beforeEach(async () => {
  now = Date.UTC(2030, 0, 1);
  [drilled, alerts, standing] = [[], [], new Set()];
  bucket = memoryBucket(() => now);
  worker = await workerSide(bucket, { now: () => now });
  room = 1e9;
  side = await startSandboxSide(worker, 1, { room: () => room });
  const control = {
    drill: async (plan: Parameters<typeof drill>[1]) => {
      const value = await drill(side.backups, plan);
      drilled.push(value.ok ? value.generation : -1);
      return { ok: true as const, value };
    },
  };
  drills = new Drills(worker.backups, control, board);
});

afterEach(() => side.lose());

async function change(text: string): Promise<void> {
  put(side.state, "workspace/MEMORY.md", text);
  addRows(`${side.state}/state/openclaw.sqlite`, text);
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
}

test("a drill is made once a day, and only of a state that no restore has worked from", async () => {
  await drills.daily(now);
  expect(drilled).toEqual([]);

  await change("one");
  await drills.daily(now);
  await drills.daily(now);
  expect(drilled).toEqual([1]);
  expect(worker.backups.summary().verifiedAt).toBe(now);

  await change("two");
  now += 23 * HOUR;
  await drills.daily(now);
  expect(drilled).toEqual([1]);
  now += 2 * HOUR;
  await drills.daily(now);
  expect(drilled).toEqual([1, 2]);

  now += 30 * HOUR;
  await drills.daily(now);
  expect(drilled).toEqual([1, 2]);
  expect(alerts).toEqual([]);
  const listed = await worker.backups.list();
  expect(listed.ok && listed.value.map((one) => one.verifiedAt !== undefined)).toEqual([
    true,
    true,
  ]);
});

test("a verification of another generation does not put the drill of the day off", async () => {
  for (const text of ["one", "two"]) await change(text);
  await drills.one(1);
  await drills.daily(now);
  expect(drilled).toEqual([1, 2]);
});

test("the drill of a generation that was the newest is the one of the day, whatever comes meanwhile", async () => {
  await change("one");
  const control = {
    drill: async (plan: Parameters<typeof drill>[1]) => {
      await change(`while ${plan.generation} is tried`);
      const value = await drill(side.backups, plan);
      drilled.push(value.ok ? value.generation : -1);
      return { ok: true as const, value };
    },
  };
  drills = new Drills(worker.backups, control, board);
  await drills.daily(now);
  now += 2 * HOUR;
  await drills.daily(now);
  expect(drilled).toEqual([1]);
});

test("a key that opens the newest generation no more is an alert at the next look, until it is there again", async () => {
  const notes = notebook();
  const [old, fresh] = [await generateX25519Identity(), await generateX25519Identity()];
  const options = { notes, now: () => now };
  worker = await workerSide(bucket, { ...options, identities: [old] });
  side.lose();
  side = await startSandboxSide(worker, 1);
  await change("one");
  const control = {
    drill: async (plan: Parameters<typeof drill>[1]) => {
      drilled.push(plan.outcome === "restore" ? plan.generation : -1);
      return { ok: true as const, value: await drill(side.backups, plan) };
    },
  };
  await new Drills(worker.backups, control, board).daily(now);
  expect(drilled).toEqual([1]);

  const replaced = await workerSide(bucket, { ...options, identities: [fresh] });
  const without = new Drills(replaced.backups, control, board);
  await without.daily(now);
  expect([...standing]).toEqual(["closed"]);
  expect(alerts).toEqual([
    expect.stringMatching(
      /^The newest backup cannot be restored: .*Set BACKUP_KEY to the identity/,
    ),
  ]);
  expect(await without.one()).toMatchObject({ ok: false });
  expect(alerts.at(-1)).toMatch(/^The drill of a restore failed: .*Set BACKUP_KEY/);
  expect(drilled).toEqual([1]);

  const both = await workerSide(bucket, { ...options, identities: [fresh, old] });
  await new Drills(both.backups, control, board).daily(now);
  expect([...standing]).toEqual(["damage"]);
});

test("a start afresh restores nothing, and says nothing else", async () => {
  await change("one");
  await worker.backups.startAfresh();
  side.lose();
  side = await startSandboxSide(worker, 2);
  await change("new life");
  expect(worker.backups.summary().verifiedAt).toBeUndefined();
  await drills.daily(now);
  expect(worker.backups.summary().verifiedAt).toBe(now);
});

test("one that fails raises an alert, marks the generation, and is not repeated at every look", async () => {
  await change("one");
  await change("two");
  for (const key of bucket.objects.keys()) {
    if (key.includes("/packs/0000000002/")) bucket.objects.delete(key);
  }
  await drills.daily(now);
  await drills.daily(now + HOUR / 2);
  await drills.daily(now + 2 * HOUR);
  expect(drilled).toEqual([-1]);
  expect(alerts).toEqual([expect.stringMatching(/^The drill of a restore failed: .*2\.0/)]);
  const listed = await worker.backups.list();
  expect(listed.ok && listed.value.map((one) => one.damaged !== undefined)).toEqual([true, false]);
  // The next content is sound again, and so is its drill.
  await change("three");
  side.lose();
  side = await startSandboxSide(worker, 2);
  expect(worker.backups.summary().verifiedAt).toBe(now);
});

test("all are tried one by one: those that work are marked, those that do not are named, and no other drill comes between", async () => {
  for (const text of ["one", "two", "three"]) await change(text);
  expect(await worker.backups.startAfresh()).toMatchObject({ ok: true });
  side.lose();
  side = await startSandboxSide(worker, 2, { room: () => room });
  await change("four");
  for (const key of bucket.objects.keys()) {
    if (key.includes("/packs/0000000002/")) bucket.objects.delete(key);
  }
  const all = drills.all();
  expect(await drills.one()).toEqual({ ok: false, reason: "A drill is under way." });
  // The fourth is the decision to start afresh, of which there is nothing to restore.
  const said = await all;
  const listed = await worker.backups.list();
  if (!listed.ok) throw new Error(listed.message);
  const tried = listed.value.filter(({ reason }) => reason !== "afresh");
  const marks = tried.map(({ n, verifiedAt, damaged }) => [
    n,
    verifiedAt !== undefined,
    damaged !== undefined,
  ]);
  const broken = listed.value.filter(({ needs }) => needs.includes("2.0")).map(({ n }) => n);
  expect(broken).toContain(2);
  expect(marks).toEqual([5, 3, 2, 1].map((n) => [n, !broken.includes(n), broken.includes(n)]));
  expect(said).toEqual({
    ok: false,
    reason: expect.stringMatching(
      new RegExp(`^${broken.length} of 4 failed: .*2: .*pack 2\\.0`, "i"),
    ),
  });
  expect(drilled).toHaveLength(4);
  expect(worker.backups.summary().verifiedAt).toBe(now);
  expect(await drills.one(1)).toEqual({ ok: true });
});

test("nothing is deleted under a drill, and what was deleted before its turn is none that failed", async () => {
  for (const text of ["one", "two", "three", "four", "five"]) await change(text);
  // All are as old as each other by then: beside the newest three one of their day stays.
  now += 20 * 24 * HOUR;
  const pruned: unknown[] = [];
  const prune = async () => void pruned.push(await worker.backups.prune());
  const openDrill = worker.backups.openDrill.bind(worker.backups);
  worker.backups.openDrill = async (n) => {
    await prune();
    return openDrill(n);
  };
  const control = {
    drill: async (plan: Parameters<typeof drill>[1]) => {
      await prune();
      const gone = await worker.request(1, "http://backup.moltworker.internal/v1/packs/99.0", {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      expect(await gone.json()).toMatchObject({ reason: "closed" });
      return { ok: true as const, value: await drill(side.backups, plan) };
    },
  };
  const all = new Drills(worker.backups, control, board).all();
  expect(await all).toEqual({ ok: true });
  expect(alerts).toEqual([]);
  expect(pruned.slice(0, 2)).toEqual([
    { ok: true, value: expect.objectContaining({ removed: 2 }) },
    { ok: false, reason: "closed", message: expect.stringMatching(/^a drill is under way/) },
  ]);
  const listed = await worker.backups.list();
  expect(listed.ok && listed.value.map(({ n, verifiedAt }) => [n, verifiedAt])).toEqual(
    [5, 4, 3].map((n) => [n, now]),
  );
});

test("one whose Durable Object ended is not open any more: nothing can be read, and old generations go", async () => {
  const notes = notebook();
  worker = await workerSide(bucket, { notes, now: () => now });
  side.lose();
  side = await startSandboxSide(worker, 1);
  await change("one");
  const read = async ({ request }: WorkerSide) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return request(1, "http://backup.moltworker.internal/v1/packs/1.0", { headers });
  };
  expect(await worker.backups.openDrill()).toMatchObject({ ok: true });
  expect((await read(worker)).status).toBe(200);
  const after = await workerSide(bucket, { notes, now: () => now });
  expect((await read(after)).status).toBe(403);
  expect(await after.backups.prune()).toMatchObject({ ok: true });
});

test("one that there is no room for is not begun and holds nothing against the generation", async () => {
  await change("one");
  room = 1000;
  await drills.daily(now);
  expect(drilled).toEqual([-1]);
  expect(alerts).toEqual([
    expect.stringMatching(
      /no room to try a restore: \d{4,} bytes of state and scratch, and room for 1000$/,
    ),
  ]);
  const listed = await worker.backups.list();
  expect(listed.ok && listed.value.map((one) => one.damaged)).toEqual([undefined]);
  room = 1e9;
  now += 2 * HOUR;
  await drills.daily(now);
  expect(drilled).toEqual([-1, 1]);
});

test("one whose reader breaks off in the check leaves nothing behind", async () => {
  let place = "";
  let breaks = false;
  side.lose();
  side = await startSandboxSide(worker, 2, {
    room: (folder) => {
      place = folder;
      return 1e9;
    },
    openReader() {
      const broken = breaks;
      breaks = false;
      return broken ? readerGoneAt("check") : readerHere();
    },
  });
  await change("one");
  breaks = true;
  await drills.daily(now);
  expect(drilled).toEqual([-1]);
  expect(place).not.toBe("");
  expect(existsSync(place)).toBe(false);
  const listed = await worker.backups.list();
  expect(listed.ok && listed.value.map((one) => one.damaged)).toEqual([undefined]);
});

test("a start does not wait until it is noted that its restore worked, and it is noted", async () => {
  let turn = Promise.resolve();
  const writes = { intervalMs: 1_000, wait: () => turn };
  worker = await workerSide(
    memoryBucket(() => now),
    { now: () => now, writes },
  );
  side.lose();
  side = await startSandboxSide(worker, 1);
  await change("one");
  side.lose();
  now += HOUR;
  const held = Promise.withResolvers<void>();
  turn = held.promise;
  side = await startSandboxSide(worker, 2);
  const noted = async () => {
    const listed = await worker.backups.list();
    return listed.ok && listed.value.map(({ n, verifiedAt }) => [n, verifiedAt]);
  };
  expect(await noted()).toEqual([[1, undefined]]);
  held.resolve();
  await expect.poll(noted).toEqual([[1, now]]);
});

test("a bucket that takes no note of it is a failure that is shown", async () => {
  await change("one");
  side.lose();
  const claimed = await worker.backups.claim(2);
  expect(claimed.ok).toBe(true);
  bucket.put = () => Promise.reject(new Error("the bucket is full"));
  const host = worker.host(2);
  expect(await host.outcome({ outcome: "restored", generation: 1 })).toMatchObject({ ok: true });
  await expect.poll(() => worker.backups.summary().failure?.message).toMatch(/the bucket is full/);
});
