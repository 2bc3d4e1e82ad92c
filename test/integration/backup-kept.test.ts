/** What of a state is kept, where some of it is odd, in the way, or cannot be read. */
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { contentOf, put } from "../support/backup-state.ts";

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

test("a file of long ago is kept like any other", async () => {
  put(side.state, "workspace/old", "x");
  const before = new Date("1969-01-01");
  utimesSync(join(side.state, "workspace/old"), before, before);
  await keep();
  expect(contentOf((await start(2)).state)).toEqual(contentOf(side.state));
});
