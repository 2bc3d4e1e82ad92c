/** Content that is easily kept, or restored, as something else. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateX25519Identity } from "age-encryption";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HostClient } from "../../src/supervisor/backups/host-client.ts";
import { drill } from "../../src/supervisor/backups/session-backups.ts";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import {
  hostReplyOf,
  notebook,
  TOKEN,
  workerSide,
  type WorkerSide,
} from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, put, rowsOf } from "../support/backup-state.ts";

const MB = 1024 ** 2;

let bucket: MemoryBucket;
const sides: SandboxSide[] = [];

beforeEach(() => (bucket = memoryBucket()));
afterEach(() => {
  for (const side of sides.splice(0)) side.lose();
});

async function start(
  worker: WorkerSide,
  n: number,
  reach?: (n: number) => HostClient,
): Promise<SandboxSide> {
  const side = await startSandboxSide(worker, n, reach === undefined ? {} : { reach });
  sides.push(side);
  return side;
}

async function keep(side: SandboxSide, reason: "change" | "final" = "change"): Promise<void> {
  expect(await side.backups.commit(reason)).toMatchObject({ ok: true, made: true });
}

test.each([true, false])(
  "a look that was given up leaves nothing of itself in the file (encrypted: %s)",
  async (encrypted) => {
    const identities = encrypted ? [await generateX25519Identity()] : [];
    const worker = await workerSide(bucket, { identities });
    const side = await start(worker, 1);
    const path = join(side.state, "workspace/large.bin");
    const before = randomBytes(3 * 65_536);
    put(side.state, "workspace/large.bin", before);
    put(side.state, "workspace/z", "1");
    await keep(side);
    writeFileSync(path, randomBytes(40 * MB));
    put(side.state, "workspace/z", "2");
    // The first pack is on its way when somebody puts back what was there, in place.
    const write = bucket.put.bind(bucket);
    let undone = false;
    bucket.put = async (key, value, options) => {
      if (key.endsWith(".pack") && !undone) {
        undone = true;
        writeFileSync(path, before);
      }
      return write(key, value, options);
    };
    await keep(side);
    const next = await start(worker, 2);
    expect(readFileSync(join(next.state, "workspace/z"), "utf8")).toBe("2");
    expect(readFileSync(join(next.state, "workspace/large.bin")).equals(before)).toBe(true);
  },
);

test("a broken database of the agent's own comes back as it was kept, with all the others", async () => {
  const worker = await workerSide(bucket);
  const side = await start(worker, 1);
  const path = join(side.state, "workspace/large.sqlite");
  addRows(path, "x".repeat(9 * MB));
  put(side.state, "workspace/MEMORY.md", "one");
  await keep(side);
  // Checked a moment ago: within a minute it is not checked again.
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, statSync(path).size - 4096);
  closeSync(file);
  put(side.state, "workspace/MEMORY.md", "two");
  await keep(side);
  const next = await start(worker, 2);
  expect(readFileSync(join(next.state, "workspace/MEMORY.md"), "utf8")).toBe("two");
  expect(statSync(join(next.state, "workspace/large.sqlite")).size).toBe(statSync(path).size);
});

test("a sparse file takes no more room than it did", async () => {
  const worker = await workerSide(bucket);
  const side = await start(worker, 1);
  const path = join(side.state, "workspace/disk.img");
  put(side.state, "workspace/disk.img", "begins");
  truncateSync(path, 100 * MB);
  const file = openSync(path, "r+");
  writeSync(file, "ends", 60 * MB);
  closeSync(file);
  await keep(side);
  const restored = join((await start(worker, 2)).state, "workspace/disk.img");
  expect(readFileSync(restored).equals(readFileSync(path))).toBe(true);
  expect(statSync(restored).blocks * 512).toBeLessThan(4 * MB);
});

test("a state of more than may be appended at once is kept as room comes, in one generation", async () => {
  let now = Date.UTC(2030, 0, 1);
  bucket = memoryBucket(() => now);
  const amount = { bytes: 40 * MB, commits: 100 };
  const bounds = { atOnce: amount, perHour: { ...amount, bytes: 2000 * MB } };
  const worker = await workerSide(bucket, { now: () => now, bounds });
  const reach = (n: number) =>
    new HostClient({
      token: TOKEN,
      async wait(ms) {
        now += ms;
      },
      async send({ url, method, headers, body }) {
        const init = { method, headers, ...(body === undefined ? {} : { body }) };
        return hostReplyOf(await worker.request(n, url, init));
      },
    });
  const side = await start(worker, 1, reach);
  put(side.state, "workspace/large", randomBytes(90 * MB));
  await keep(side);
  expect(bucket.calls.put).toBeLessThan(12);
});

test("what a drill finds damaged is kept anew from the state that is there", async () => {
  const worker = await workerSide(bucket);
  const side = await start(worker, 1);
  put(side.state, "workspace/old", "of the first days");
  await keep(side);
  put(side.state, "workspace/MEMORY.md", "two");
  await keep(side);
  for (const key of bucket.objects.keys()) {
    if (key.includes("/packs/0000000001/")) bucket.objects.delete(key);
  }
  const plan = await worker.backups.openDrill(2);
  expect(plan).toMatchObject({ ok: true });
  const tried = plan.ok ? await drill(side.backups, plan.value) : undefined;
  expect(tried).toMatchObject({ ok: false });
  put(side.state, "workspace/MEMORY.md", "three");
  await keep(side, "final");
  const next = await start(worker, 2);
  expect(readFileSync(join(next.state, "workspace/MEMORY.md"), "utf8")).toBe("three");
  expect(readFileSync(join(next.state, "workspace/old"), "utf8")).toBe("of the first days");
});

test.each(["set", "changed"])(
  "a key that is %s while a sandbox lives takes all content with the next change",
  async (how) => {
    const [former, present] = [await generateX25519Identity(), await generateX25519Identity()];
    const notes = notebook();
    const first = await workerSide(bucket, { notes, identities: how === "set" ? [] : [former] });
    let worker = first;
    const side = await start(first, 1, (n) => worker.host(n));
    put(side.state, "workspace/old", "of before");
    await keep(side);
    // As a Durable Object that begins again over the sandbox.
    worker = await workerSide(bucket, { notes, identities: [present, former] });
    put(side.state, "workspace/MEMORY.md", "new");
    await keep(side);
    const listed = await worker.backups.list();
    const [newest] = listed.ok ? listed.value : [];
    expect(newest?.recipient).toBe(worker.keys?.recipient);
    expect(newest?.needs).toEqual(newest?.packs.map(({ id }) => id));
    // The former key is gone.
    const next = await start(await workerSide(bucket, { identities: [present] }), 2);
    expect(readFileSync(join(next.state, "workspace/old"), "utf8")).toBe("of before");
  },
);

test("the manifest of encrypted backups has no file's name in it, and an admin sees which changed", async () => {
  const sealed = await workerSide(bucket, { identities: [await generateX25519Identity()] });
  const side = await start(sealed, 1);
  put(side.state, "workspace/divorce.txt", "x");
  await keep(side);
  const all = [...bucket.objects.values()].map(({ bytes }) =>
    Buffer.from(bytes).toString("latin1"),
  );
  expect(all.filter((text) => text.includes("divorce"))).toEqual([]);
  const listed = await sealed.backups.shown();
  const paths = listed.ok ? listed.value.map(({ changes }) => changes.paths) : [];
  expect(paths).toEqual([[".openclaw/workspace/divorce.txt"]]);
  // Without the key the list is still one.
  const keyless = await workerSide(bucket);
  expect(await keyless.backups.shown()).toMatchObject({
    ok: true,
    value: [{ changes: { changed: 1, paths: [] } }],
  });
});

test("two writes of the manifest are as far apart as the store wants them", async () => {
  const intervalMs = 300;
  const worker = await workerSide(bucket, { writes: { intervalMs, wait: sleep } });
  const write = bucket.put.bind(bucket);
  const times: number[] = [];
  bucket.put = (key, value, options) => {
    if (key.endsWith("/manifest.json")) times.push(performance.now());
    return write(key, value, options);
  };
  const side = await start(worker, 1);
  for (const text of ["1", "2", "3"]) {
    put(side.state, "workspace/a", text);
    await keep(side);
  }
  const apart = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  expect(apart.length).toBeGreaterThanOrEqual(3);
  // A timer may come a little early.
  expect(Math.min(...apart)).toBeGreaterThan(intervalMs * 0.9);
});

test("a state without what the gateway lives from is not kept as a whole one", async () => {
  const worker = await workerSide(bucket);
  const side = await start(worker, 1);
  addRows(join(side.state, "state/openclaw.sqlite"), "paired");
  await keep(side);
  renameSync(join(side.state, "state"), join(side.home, "elsewhere"));
  symlinkSync(join(side.home, "elsewhere"), join(side.state, "state"));
  put(side.state, "workspace/MEMORY.md", "two");
  expect(await side.backups.commit("final")).toMatchObject({ ok: false, reason: "hole" });
  const next = await start(worker, 2);
  expect(rowsOf(join(next.state, "state/openclaw.sqlite"))).toEqual(["paired"]);
});

test("another name for an agent, as a link inside of the state, is kept as one", async () => {
  const worker = await workerSide(bucket);
  const side = await start(worker, 1);
  addRows(join(side.state, "agents/main/agent/openclaw-agent.sqlite"), "hello");
  symlinkSync("main", join(side.state, "agents/default"));
  await keep(side);
  const next = await start(worker, 2);
  expect(rowsOf(join(next.state, "agents/default/agent/openclaw-agent.sqlite"))).toEqual(["hello"]);
});
