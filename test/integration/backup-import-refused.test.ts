/** An archive that a start could not take in. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import { importStates, upload } from "../support/backup-import.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { contentOf } from "../support/backup-state.ts";

let bucket: MemoryBucket;
let worker: WorkerSide;
let folder: string;
let sides: SandboxSide[];

beforeEach(async () => {
  bucket = memoryBucket();
  worker = await workerSide(bucket);
  folder = mkdtempSync(join(tmpdir(), "backup-import-refused-"));
  sides = [];
});
afterEach(() => {
  for (const side of sides) side.lose();
  rmSync(folder, { recursive: true, force: true });
});

async function start(n: number): Promise<SandboxSide> {
  const side = await startSandboxSide(worker, n);
  sides.push(side);
  return side;
}

function packed(): Uint8Array<ArrayBuffer> {
  mkdirSync(join(folder, ".moltbot/workspace"), { recursive: true });
  writeFileSync(join(folder, ".moltbot/workspace/MEMORY.md"), "I like tea");
  execFileSync("tar", ["-czf", "moltbot-backup.tar.gz", ".moltbot"], { cwd: folder });
  return Uint8Array.from(readFileSync(join(folder, "moltbot-backup.tar.gz")));
}

const states = () => importStates(worker);
const memory = (side: SandboxSide) => readFileSync(join(side.state, "workspace/MEMORY.md"), "utf8");

test("an archive that a start refused is tried again, or is gone, when an admin says so", async () => {
  const { imports } = worker.backups;
  const inBucket = { onlyIf: { etagDoesNotMatch: "*" } };
  await bucket.put("moltbot-backup.tar.gz", packed(), inBucket);
  const id = await upload(worker, packed());
  await worker.backups.claim(1);
  for (const one of [await imports.source("bucket"), await imports.source(id)]) {
    if (!one.ok) throw new Error(one.message);
    await worker.host(1).importRefused({ id: one.value.id, problem: "no space left" });
  }
  const refused = { state: "refused", problem: "no space left" };
  expect(await states()).toMatchObject([refused, refused]);
  expect(contentOf((await start(2)).state)).toEqual({});

  expect(await imports.drop(id)).toMatchObject({ ok: true });
  expect(await imports.apply("bucket")).toMatchObject({ ok: true });
  expect(await states()).toEqual([{ id: "bucket", state: "waiting" }]);
  expect(memory(await start(3))).toBe("I like tea");
  expect(await states()).toMatchObject([{ id: "bucket", state: "done" }]);
  expect(await imports.apply("bucket")).toMatchObject({ ok: false, reason: "exists" });

  expect(await imports.drop("bucket")).toMatchObject({ ok: true });
  expect(await states()).toEqual([]);
  expect(bucket.objects.has("moltbot-backup.tar.gz")).toBe(false);
  expect(await imports.drop("bucket")).toMatchObject({ ok: false, reason: "missing" });
  expect(memory(await start(4))).toBe("I like tea");
});
