/** An archive that could not be taken in for a reason that is not its own: it waits, and comes in later. */
import { gzipSync } from "node:zlib";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TAR_END, tarHeader, tarPadding } from "../../src/archive/tar-writer.ts";
import { takeIn } from "../../src/supervisor/backups/intake.ts";
import { memoryBucket } from "../support/backup-bucket.ts";
import { importStates, upload } from "../support/backup-import.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import {
  readerGoneAt,
  readerHere,
  startSandboxSide,
  type SandboxSide,
} from "../support/backup-sandbox-side.ts";

let worker: WorkerSide;
let home: string;
let sides: SandboxSide[];

beforeEach(async () => {
  worker = await workerSide(memoryBucket());
  home = mkdtempSync(join(tmpdir(), "backup-import-again-"));
  sides = [];
});
afterEach(() => {
  for (const side of sides) side.lose();
  rmSync(home, { recursive: true, force: true });
});

function archive(name: string): Uint8Array<ArrayBuffer> {
  const content = Buffer.from("I like tea");
  const head = { type: "file", size: content.length, mode: 0o600, modified: 0 } as const;
  const path = `.moltbot/workspace/${name}`;
  const tar = [tarHeader({ ...head, path }), content, tarPadding(content.length), TAR_END];
  return Uint8Array.from(gzipSync(Buffer.concat(tar)));
}

async function apply(name = "MEMORY.md"): Promise<void> {
  worker.backups.imports.apply(await upload(worker, archive(name)));
}

async function startWith(n: number, openReader = readerHere): Promise<SandboxSide> {
  const side = await startSandboxSide(worker, n, { openReader });
  sides.push(side);
  return side;
}

const states = async () => (await importStates(worker)).map(({ state }) => state);

async function comesIn(n: number): Promise<void> {
  const { state } = await startWith(n);
  expect(readFileSync(join(state, "workspace/MEMORY.md"), "utf8")).toBe("I like tea");
  expect(await states()).toEqual(["done"]);
}

test("when the disk is full", async () => {
  await apply();
  await worker.backups.claim(1);
  const taken = await takeIn({
    ...{ home, host: worker.host(1), purge: () => Promise.resolve() },
    give() {
      throw new Error("ENOSPC: no space left on device");
    },
    log: { info: () => undefined, warn: () => undefined },
  });
  expect(taken).toMatchObject({ outcome: "failed", message: expect.stringMatching(/ENOSPC/) });
  expect(await states()).toEqual(["waiting"]);
  expect(readdirSync(home)).toEqual([]);
  await comesIn(2);
});

test("when the reader of the new state is gone", async () => {
  await apply();
  await expect(startWith(1, () => readerGoneAt("scan"))).rejects.toThrow(/reader/);
  expect(await states()).toEqual(["waiting"]);
  await comesIn(2);
});

test("a name that no disk takes is the archive's own fault", async () => {
  await apply("文".repeat(86));
  await startWith(1);
  const [refused] = await importStates(worker);
  expect(refused).toMatchObject({ state: "refused", problem: expect.stringMatching(/too long/) });
});
