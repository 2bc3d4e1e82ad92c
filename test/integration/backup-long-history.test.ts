/** A history so long that its beginning lies in an index page, with any of its objects damaged. */
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import { notebook, workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { sandboxSide, startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { contentOf, put } from "../support/backup-state.ts";

const GENERATIONS = 100;
const INDEX = "agents/main/backups/index/";
const HOUR = 3_600_000;

let bucket: MemoryBucket;
let notes: string;
let side: SandboxSide;
let now: number;
const contents = new Map<number, unknown>();
const sides: SandboxSide[] = [];

beforeAll(async () => {
  now = Date.UTC(2030, 0, 1);
  bucket = memoryBucket(() => now);
  const mine = notebook();
  const worker = await workerSide(bucket, { notes: mine, now: () => now });
  side = await startSandboxSide(worker, 1);
  for (let n = 1; n <= GENERATIONS; n++) {
    put(side.state, "workspace/a", `${n}`);
    await side.backups.commit("change");
    contents.set(n, contentOf(side.state));
    now += 13 * HOUR;
  }
  notes = mine.read("backups") ?? "{}";
});
afterAll(() => {
  for (const one of [side, ...sides]) one.lose();
});

test("a start refuses, or restores a generation that was kept, by name; nothing is deleted blindly", async () => {
  const keys = [...bucket.objects.keys()];
  const pages = keys.filter((key) => key.startsWith(INDEX));
  expect(pages).toHaveLength(1);
  const others = keys.filter((key) =>
    /manifest|packs\/00000000(01|40|9\d)|packs\/0000000100/.test(key),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.constantFrom(...pages), fc.constantFrom(...others)),
      fc.constantFrom("remove", "flip", "cut", "empty"),
      fc.nat(),
      async (key, how, where) => {
        const copy = damaged(key, how, where);
        const mine = notebook();
        mine.write("backups", notes);
        const worker = await workerSide(copy, { notes: mine, now: () => now });
        const started = await startOf(worker);
        const generation = started.generation ?? 0;
        expect([
          { refused: expect.stringMatching(/./) },
          { generation, content: contents.get(generation), passedOver: GENERATIONS - generation },
        ]).toContainEqual(started);
        // Complete, or refused by name: and then nothing is deleted either.
        expect([{ missing: [] }, { named: true, pruned: false, deleted: [] }]).toContainEqual(
          await listOf(worker, copy, key),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("without its index page the newest starts, and an older one is refused by the page's name", async () => {
  const key = [...bucket.objects.keys()].find((one) => one.startsWith(INDEX)) ?? "";
  const mine = notebook();
  mine.write("backups", notes);
  const worker = await workerSide(damaged(key, "remove", 0), { notes: mine });
  expect(await worker.backups.restoreTo(2)).toMatchObject({
    ok: false,
    reason: "corrupt",
    message: `${key} is gone`,
  });
  expect(await startOf(worker)).toMatchObject({ generation: GENERATIONS, passedOver: 0 });
});

function damaged(key: string, how: string, where: number): MemoryBucket {
  const copy = memoryBucket(() => now);
  for (const [name, held] of bucket.objects) copy.objects.set(name, held);
  const held = copy.objects.get(key);
  if (held === undefined || how === "remove") {
    copy.objects.delete(key);
    return copy;
  }
  const bytes = Uint8Array.from(held.bytes);
  const at = where % bytes.length;
  if (how === "flip") bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  const length = how === "cut" ? at : how === "empty" ? 0 : bytes.length;
  copy.objects.set(key, { ...held, bytes: bytes.slice(0, length) });
  return copy;
}

interface Started {
  refused?: string;
  generation?: number;
  content?: unknown;
  passedOver?: number;
}

async function startOf(worker: WorkerSide): Promise<Started> {
  const claimed = await worker.backups.claim(2);
  if (!claimed.ok) return { refused: claimed.message };
  const fresh = sandboxSide(worker.host(2));
  sides.push(fresh);
  const restored = await fresh.backups.restore();
  if (restored.outcome === "failed") return { refused: restored.message };
  if (restored.outcome === "empty") throw new Error("it started blank");
  return {
    generation: restored.list.generation,
    content: contentOf(fresh.state),
    passedOver: restored.passedOver.length,
  };
}

async function listOf({ backups }: WorkerSide, copy: MemoryBucket, key: string): Promise<object> {
  const listed = await backups.list();
  if (listed.ok) {
    const numbers = new Set(listed.value.map(({ n }) => n));
    return { missing: [...contents.keys()].filter((n) => !numbers.has(n)) };
  }
  const before = [...copy.objects.keys()];
  const { ok: pruned } = await backups.prune();
  const deleted = before.filter((one) => !copy.objects.has(one));
  return { named: listed.message.includes(key), pruned, deleted };
}
