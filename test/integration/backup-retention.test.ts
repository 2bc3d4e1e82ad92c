import { afterEach, beforeEach, expect, test } from "vitest";
import { exportArchive } from "../../src/worker/backups/export.ts";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { contentOf, put } from "../support/backup-state.ts";

const HOUR = 3_600_000;
let now: number;
let bucket: MemoryBucket;
let worker: WorkerSide;
let sides: SandboxSide[];

beforeEach(async () => {
  now = Date.UTC(2030, 0, 1);
  sides = [];
  bucket = memoryBucket(() => now);
  worker = await workerSide(bucket, { now: () => now });
});

afterEach(() => {
  for (const side of sides) side.lose();
});

async function start(n: number): Promise<SandboxSide> {
  const side = await startSandboxSide(worker, n);
  sides.push(side);
  return side;
}

async function listed() {
  const reply = await worker.backups.list();
  if (!reply.ok) throw new Error(reply.message);
  return reply.value;
}

test("after months of changes a few generations and their packs are left, and restore", async () => {
  const side = await start(1);
  const content = new Map<number, unknown>();
  for (let i = 0; i < 150; i++) {
    put(side.state, `workspace/f${i % 9}`, `${i}`);
    const made = await side.backups.commit("change");
    if (made.ok && made.made) content.set(made.list.generation, contentOf(side.state));
    now += 13 * HOUR;
  }
  expect((await listed()).length).toBe(150);
  const packs = bucket.objects.size;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { packs: 0 } });
  const left = await listed();
  expect(left.length).toBeLessThan(70);
  now += HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: true });
  expect(bucket.objects.size).toBeLessThan(packs);
  for (const [i, point] of [left.at(-1), left[20], left[0]].entries()) {
    const n = point?.n ?? 0;
    expect(await worker.backups.restoreTo(n)).toMatchObject({ ok: true });
    expect(contentOf((await start(i + 2)).state)).toEqual(content.get(n));
  }
});

test("a list of generations longer than the manifest holds is complete", async () => {
  const side = await start(1);
  for (let i = 0; i < 210; i++) {
    put(side.state, "workspace/a", `${i}`);
    await side.backups.commit("change");
  }
  const all = (await listed()).map((one) => one.n);
  expect(all).toEqual(Array.from({ length: 210 }, (_, i) => 210 - i));
  const manifest = bucket.objects.get("agents/main/backups/manifest.json");
  expect(manifest?.bytes.length).toBeLessThan(80_000);
});

test("what a drill finds out about a generation that left the manifest is not forgotten", async () => {
  const side = await start(1);
  for (let i = 1; i <= 100; i++) {
    put(side.state, "workspace/a", `${i}`);
    await side.backups.commit("change");
  }
  const drill = async (n: number) => {
    const plan = await worker.backups.openDrill(n);
    if (!plan.ok) throw new Error(plan.message);
    return side.backups.drill(plan.value);
  };
  expect(await drill(2)).toMatchObject({ outcome: "restored" });
  bucket.objects.delete("agents/main/backups/packs/0000000003/0000.pack");
  expect(await drill(3)).toMatchObject({ outcome: "failed" });
  worker.backups.closeDrill();
  const known = (await listed()).slice(-3);
  expect(known.map(({ n, verifiedAt, damaged }) => [n, verifiedAt !== undefined, damaged])).toEqual(
    [
      [3, false, expect.stringMatching(/3\.0/)],
      [2, true, undefined],
      [1, false, undefined],
    ],
  );
  expect(await worker.backups.restoreTo(3)).toMatchObject({ ok: false, reason: "corrupt" });
});

test("generations on a pack that a drill found damaged never push out the last intact one", async () => {
  const side = await start(1);
  put(side.state, "workspace/a", "intact");
  await side.backups.commit("change");
  const intact = contentOf(side.state);
  now += 10 * 60_000;
  put(side.state, "workspace/b", "in the pack that breaks");
  for (let i = 0; i < 6; i++) {
    put(side.state, "workspace/a", `${i}`);
    await side.backups.commit("change");
  }
  bucket.objects.delete("agents/main/backups/packs/0000000002/0000.pack");
  const plan = await worker.backups.openDrill();
  if (!plan.ok) throw new Error(plan.message);
  expect(await side.backups.drill(plan.value)).toMatchObject({ outcome: "failed" });
  worker.backups.closeDrill();
  // Whatever needs the pack is shown as what it is.
  const shown = (await listed()).map(({ n, damaged }) => [n, damaged]);
  expect(shown).toEqual([
    [7, expect.stringMatching(/2\.0/)],
    ...[6, 5, 4, 3, 2].map((n) => [n, "it needs pack 2.0, which is damaged"]),
    [1, undefined],
  ]);
  // All of them are as old as each other by now, and one of their week stays.
  for (let days = 0; days < 60; days += 20) {
    now += 20 * 24 * HOUR;
    expect(await worker.backups.prune()).toMatchObject({ ok: true });
  }
  const left = (await listed()).map(({ n }) => n);
  expect(left).toContain(1);
  expect(left.length).toBeLessThan(7);
  expect(contentOf((await start(2)).state)).toEqual(intact);
});

test("packs of a commit that failed are deleted once nothing can need them", async () => {
  const side = await start(1);
  put(side.state, "workspace/a", "1");
  await side.backups.commit("change");
  const host = worker.host(1);
  const reserved = await host.reserve();
  const generation = reserved.ok ? reserved.value.generation : 0;
  const { sealPack } = await import("../../src/supervisor/backups/pack.ts");
  await host.storePack(`${generation}.0`, await sealPack([], undefined));
  put(side.state, "workspace/a", "2");
  await side.backups.commit("change");
  const orphan = `agents/main/backups/packs/${String(generation).padStart(10, "0")}/0000.pack`;
  await worker.backups.prune();
  expect(bucket.objects.has(orphan)).toBe(true);
  now += 2 * HOUR;
  await worker.backups.prune();
  expect(bucket.objects.has(orphan)).toBe(false);
  expect(contentOf((await start(2)).state)).toEqual(contentOf(side.state));
});

let changes = 0;
async function commits(side: SandboxSide, count: number, everyMs = 0): Promise<void> {
  for (let i = 0; i < count; i++) {
    put(side.state, "workspace/a", `${changes++}`);
    expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
    now += everyMs;
  }
}

test("who was overtaken by another Durable Object on the same bucket deletes nothing", async () => {
  await commits(await start(1), 1);
  const other = await workerSide(bucket, { now: () => now });
  const side = await startSandboxSide(other, 1);
  sides.push(side);
  await commits(side, 109);
  now += 2 * HOUR;
  const before = [...bucket.objects.keys()];
  expect(await worker.backups.prune()).toMatchObject({
    ok: false,
    reason: "stale",
    message: expect.stringMatching(/epoch 2 .* begun elsewhere \(here epoch 1\)/),
  });
  const never = await workerSide(bucket, { now: () => now });
  expect(await never.backups.prune()).toMatchObject({
    ok: false,
    message: expect.stringMatching(/here none yet/),
  });
  expect([...bucket.objects.keys()]).toEqual(before);
  expect(await other.backups.list()).toMatchObject({ ok: true, value: { length: 110 } });
  expect(await other.backups.prune()).toMatchObject({ ok: true });
});

test("who is overtaken while it prunes deletes nothing", async () => {
  const side = await start(1);
  await commits(side, 5);
  now += 20 * 24 * HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { removed: 2 } });
  now += 2 * HOUR;
  const other = await workerSide(bucket, { now: () => now });
  const before = [...bucket.objects.keys()];
  const list = bucket.list;
  bucket.list = async (options) => {
    const found = await list(options);
    bucket.list = list;
    expect(await other.backups.claim(1)).toMatchObject({ ok: true });
    return found;
  };
  expect(await worker.backups.prune()).toMatchObject({ ok: false, reason: "stale" });
  expect([...bucket.objects.keys()]).toEqual(before);
});

test("between a restore by an admin and the next start old generations are still deleted", async () => {
  await commits(await start(1), 5);
  expect(await worker.backups.restoreTo(3)).toMatchObject({ ok: true });
  now += 20 * 24 * HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { removed: 3 } });
});

test("what is no longer kept can be read for an hour by whoever began with it", async () => {
  const side = await start(1);
  await commits(side, 5, 60_000);
  now += 26 * HOUR;
  const plan = await worker.backups.planTo(2);
  if (!plan.ok) throw new Error(plan.message);
  const archive = async () => {
    const parts = { agentId: "main", bucket, keys: undefined };
    const exported = await exportArchive(plan.value, parts);
    if (!exported.ok) return exported.message;
    return (await new Response(exported.value).bytes()).length;
  };
  const bytes = await archive();
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { removed: 2, packs: 0 } });
  now += HOUR - 1;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { removed: 0, packs: 0 } });
  expect(await archive()).toBe(bytes);
  now += 1;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { removed: 0, packs: 2 } });
  expect(await archive()).toMatch(/2\.0 is not in the bucket/);
  expect(contentOf((await start(2)).state)).toEqual(contentOf(side.state));
});

test("packs are deleted in the end when the clock was ahead as their generations went", async () => {
  const side = await start(1);
  await commits(side, 5, 60_000);
  now += 29 * 24 * HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { removed: 2 } });
  now -= 20 * 24 * HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { packs: 0 } });
  now += HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { packs: 2 } });
});

test("a clock that runs years ahead for a moment deletes no history", async () => {
  const side = await start(1);
  await commits(side, 30, 24 * HOUR);
  now += HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: true });
  const [right, before] = [now, (await listed()).length];
  now = Date.UTC(2099, 0, 1);
  await commits(side, 1);
  expect(await worker.backups.prune()).toMatchObject({
    ok: false,
    message: expect.stringMatching(/the clock says 2099-01-01.* it was 2030-01-31/),
  });
  now = right + HOUR;
  await commits(side, 1);
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { removed: 0 } });
  expect(await listed()).toHaveLength(before + 2);
});

test("after months in which nobody looked, what is too old goes an hour later", async () => {
  await commits(await start(1), 5, 24 * HOUR);
  expect(await worker.backups.prune()).toMatchObject({ ok: true });
  now += 90 * 24 * HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: false, reason: "closed" });
  now += HOUR;
  expect(await worker.backups.prune()).toMatchObject({ ok: true, value: { removed: 1 } });
});
