/** A state larger than a Worker's memory, through the Worker's side in the real runtime. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { HostClient } from "../../src/supervisor/backups/host-client.ts";
import { sendToHost } from "../../src/supervisor/backups/host-send.ts";
import { TOKEN } from "../support/backup-rig.ts";
import { sandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { startBackupRuntime, type BackupRuntime } from "../support/backup-runtime.ts";
import { put } from "../support/backup-state.ts";
import { watchHeap, type HeapWatch } from "../support/isolate-heap.ts";

const MB = 1024 ** 2;
/** https://developers.cloudflare.com/workers/platform/limits/#memory */
const ISOLATE_BYTES = 128 * MB;
/** Nothing of it compresses, so the bucket holds as much. */
const FILES = 9;
const FILE_BYTES = 16 * MB;

let runtime: BackupRuntime;
let heap: HeapWatch;
let recipient: string;
const sides: SandboxSide[] = [];

beforeAll(async () => {
  const identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  runtime = await startBackupRuntime(identity);
  heap = await watchHeap(runtime.inspectors.worker);
});

afterAll(async () => {
  for (const side of sides) side.lose();
  await heap.close();
  await runtime.close();
});

test("a state that no isolate could hold is committed and restored", async () => {
  const first = await begin(1);
  for (let n = 0; n < FILES; n++) put(first.state, name(n), randomBytes(FILE_BYTES));
  expect(await first.backups.commit("change")).toMatchObject({ ok: true });
  expect(await heap.takePeak()).toBeLessThan(ISOLATE_BYTES);

  const second = await begin(2);
  for (let n = 0; n < FILES; n++) {
    const [kept, restored] = [first, second].map(({ state }) => readFileSync(join(state, name(n))));
    expect(kept?.equals(restored ?? new Uint8Array(0))).toBe(true);
  }
  expect(await heap.takePeak()).toBeLessThan(ISOLATE_BYTES);
});

test("a download that nobody goes on reading does not fill the Worker", async () => {
  const before = await runtime.packsExported();
  const reader = (await runtime.exported()).getReader();
  expect((await reader.read()).done).toBe(false);
  // Until no pack was read for a while: the Worker waits for its reader.
  let read = 0;
  for (let still = 0; still < 5; still++) {
    const now = (await runtime.packsExported()) - before;
    if (now !== read) still = 0;
    read = now;
    await sleep(200);
  }
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(FILES / 2);
  expect(await heap.takePeak()).toBeLessThan(ISOLATE_BYTES);
  await expect(runtime.exported()).rejects.toThrow(/busy/);
  await reader.cancel();
  const next = await vi.waitFor(() => runtime.exported(), { timeout: 60_000, interval: 200 });
  await next.cancel();
});

function name(n: number): string {
  return `media/${n}.bin`;
}

async function begin(start: number): Promise<SandboxSide> {
  await runtime.claim(start);
  const host = new HostClient({
    token: TOKEN,
    wait: sleep,
    send: (request) =>
      sendToHost({ ...request, url: new URL(new URL(request.url).pathname, runtime.origin).href }),
  });
  const side = sandboxSide(host, { recipient }, mkdtempSync(join(tmpdir(), "backup-memory-")));
  sides.push(side);
  const restored = await side.backups.restore();
  if (restored.outcome === "failed") throw new Error(restored.message);
  mkdirSync(side.state, { recursive: true });
  return side;
}
