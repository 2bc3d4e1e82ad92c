/** The scratch copy in which a restored database takes a write, where there is no room for it. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { READER_ROLE } from "../../src/supervisor/agent-roles.ts";
import { copyDatabase } from "../../src/supervisor/backups/database-copy.ts";
import type { ReaderProcess } from "../../src/supervisor/backups/reader-client.ts";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows } from "../support/backup-state.ts";

const PROGRAM = join(import.meta.dirname, "../../src/supervisor/agent-program.ts");
const DATABASE = "state/openclaw.sqlite";

let worker: WorkerSide;
let home: string;
let kept: Buffer;
const sides: SandboxSide[] = [];

beforeEach(async () => {
  worker = await workerSide(memoryBucket());
  home = mkdtempSync(join(tmpdir(), "backup-scratch-"));
  const first = await startSandboxSide(worker, 1);
  sides.push(first);
  addRows(join(first.state, DATABASE), "x".repeat(300_000));
  await first.backups.commit("change");
  const copy = join(first.home, "copy.sqlite");
  await copyDatabase(join(first.state, DATABASE), copy);
  kept = readFileSync(copy);
});

afterEach(() => {
  for (const side of sides.splice(0)) side.lose();
  rmSync(home, { recursive: true, force: true });
});

/** A reader for which the folder of the scratch copy is a disk of so many bytes. */
function readerWithRoom(bytes: number): () => Promise<ReaderProcess> {
  return () => {
    const own = join(home, ".moltworker");
    mkdirSync(own, { recursive: true });
    const disk = ["--size", String(bytes), "--tmpfs", own];
    const run = ["--die-with-parent", "--", process.execPath, PROGRAM, READER_ROLE];
    const child = spawn("bwrap", ["--dev-bind", "/", "/", ...disk, ...run], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const { stdin, stdout } = child;
    return Promise.resolve({ stdin, stdout, end: () => void child.kill("SIGKILL") });
  };
}

async function startWithRoom(n: number, bytes: number): Promise<SandboxSide> {
  const side = await startSandboxSide(worker, n, { home, openReader: readerWithRoom(bytes) });
  sides.push(side);
  return side;
}

test("a disk that is too full for it fails the restore by name, and takes the state away again", async () => {
  await expect(startWithRoom(2, 200_000)).rejects.toThrow(/^io: .*scratch copy.*ENOSPC/);
  mkdirSync(home, { recursive: true });
  expect(readdirSync(home)).not.toContain(".openclaw");
  const listed = await worker.backups.list();
  expect(listed.ok && listed.value.map(({ n, damaged }) => [n, damaged])).toEqual([[1, undefined]]);
});

test("a disk that takes the copy, and not the write, fails the restore as well", async () => {
  const room = Math.ceil(kept.length / 4096) * 4096 + 2 * 4096;
  await expect(startWithRoom(2, room)).rejects.toThrow(/^io: .*scratch copy/);
});

test("with room for one it works, and the restored database is what was kept, byte for byte", async () => {
  const { state } = await startWithRoom(2, 2_000_000);
  expect(readFileSync(join(state, DATABASE)).equals(kept)).toBe(true);
});
