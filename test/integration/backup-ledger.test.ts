/** The manifest in memory beside the one in the bucket: what is old must decide nothing. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { put } from "../support/backup-state.ts";

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

async function start(n: number, of = worker): Promise<SandboxSide> {
  const side = await startSandboxSide(of, n);
  sides.push(side);
  return side;
}

async function commit(side: SandboxSide, content: string): Promise<void> {
  put(side.state, "workspace/a", content);
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
}

/** While the manifest is written, `during` asks for it: it is served before, and arrives after. */
function overtaken(during: () => Promise<unknown>): () => Promise<unknown> {
  const [get, write] = [bucket.get, bucket.put];
  const arrival = Promise.withResolvers<undefined>();
  let asked: Promise<unknown> | undefined;
  bucket.put = async (key, value, options) => {
    if (!key.endsWith("manifest.json") || asked !== undefined) return write(key, value, options);
    bucket.get = async (wanted, how) => {
      const found = await get(wanted, how);
      if (wanted.endsWith("manifest.json")) await arrival.promise;
      return found;
    };
    asked = during();
    await new Promise((resolve) => setImmediate(resolve));
    bucket.get = get;
    return write(key, value, options);
  };
  return async () => {
    bucket.put = write;
    arrival.resolve(undefined);
    return asked;
  };
}

test("who reads the list while a generation is committed is told of it, and fences nobody", async () => {
  const side = await start(1);
  await commit(side, "1");
  const arrive = overtaken(() => worker.backups.list());
  await commit(side, "2");
  expect(await arrive()).toMatchObject({ ok: true, value: [{ n: 2 }, { n: 1 }] });
  const gets = bucket.calls.get;
  expect(await worker.backups.list()).toMatchObject({ ok: true, value: [{ n: 2 }, { n: 1 }] });
  expect(bucket.calls.get).toBe(gets);
  await commit(side, "3");
});

test("who asks before there is a manifest is not told of packs without one", async () => {
  const arrive = overtaken(() => worker.backups.list());
  const side = await start(1);
  await commit(side, "1");
  expect(await arrive()).toMatchObject({ ok: true, value: [{ n: 1 }] });
});

test("what the manifest in memory refuses is asked again of the one in the bucket", async () => {
  await commit(await start(1), "1");
  const other = await workerSide(bucket, { now: () => now });
  await commit(await start(1, other), "2");
  expect(await worker.backups.list()).toMatchObject({ ok: true, value: [{ n: 1 }] });
  expect(await worker.backups.restoreTo(2)).toMatchObject({ ok: true, value: 3 });
  expect(await worker.backups.restoreTo(9)).toMatchObject({ ok: false, reason: "missing" });
});
