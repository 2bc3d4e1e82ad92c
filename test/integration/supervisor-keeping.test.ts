/** What a supervisor keeps at an end that takes its time, and what it says while it keeps nothing. */
import { existsSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { serveBackups, type BackupServer } from "../support/backup-server.ts";
import { startRig, type SupervisorRig } from "../support/supervisor-rig.ts";

/** Ends once, whereupon the supervisor follows the state; then writes, and ends, only when it may. */
const GATEWAY = `
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
const workspace = process.env.HOME + "/.openclaw/workspace";
if (!existsSync(workspace + "/begun")) {
  mkdirSync(workspace, { recursive: true });
  writeFileSync(workspace + "/begun", "");
  process.exit(1);
}
process.on("SIGTERM", () => {
  writeFileSync(workspace + "/last-words", "of a turn that ended late");
  setInterval(() => existsSync(workspace + "/may-end") && process.exit(0), 20);
});
const settled = setInterval(() => {
  if (!existsSync(process.env.HOME + "/may-run")) return;
  clearInterval(settled);
  writeFileSync(workspace + "/runs", "");
}, 20);
const supervisor = process.ppid;
setInterval(() => process.ppid !== supervisor && process.exit(0), 100);
`;

let worker: WorkerSide;
let server: BackupServer;
let rig: SupervisorRig;
/** Whether the Worker answers none of the calls that a generation begins with. */
let hangs: boolean;
beforeEach(async () => {
  worker = await workerSide(memoryBucket());
  await worker.backups.claim(1);
  hangs = false;
  server = await serveBackups(
    worker,
    () => 1,
    ({ path }) =>
      hangs && path === "/v1/generations" ? new Promise(() => undefined) : Promise.resolve(),
  );
  rig = await startRig({
    env: { HTTP_PROXY: server.origin, NO_PROXY: "127.0.0.1,localhost", NODE_USE_ENV_PROXY: "1" },
    prepare: async ({ root }) => {
      const openclaw = join(root, "slow-to-end");
      await mkdir(openclaw);
      await writeFile(join(openclaw, "package.json"), '{"version":"0.0.0"}');
      await writeFile(join(openclaw, "openclaw.mjs"), GATEWAY);
      return { openclaw };
    },
  });
});
afterEach(async () => {
  await rig.close();
  server.close();
});

async function kept(path: string): Promise<boolean> {
  const listed = await worker.backups.list();
  return listed.ok && listed.value.some(({ changes }) => changes.paths.includes(path));
}

test("a turn that ends late is kept although the stop is not through, whoever asks for it again", async () => {
  const workspace = join(rig.folders.home, ".openclaw/workspace");
  expect((await rig.boot({ backups: { intervalMs: 0 } })).status).toBe(200);
  writeFileSync(join(rig.folders.home, "may-run"), "");
  await expect.poll(() => existsSync(join(workspace, "runs")), { timeout: 30_000 }).toBe(true);
  await expect.poll(() => kept(".openclaw/workspace/begun"), { timeout: 30_000 }).toBe(true);
  const ask = () => rig.control("/v1/stop", { method: "POST", body: '{"deadlineMs":60000}' });
  const first = ask();
  const lastWords = ".openclaw/workspace/last-words";
  await expect.poll(() => kept(lastWords), { timeout: 30_000 }).toBe(true);
  const second = ask();
  writeFileSync(join(workspace, "may-end"), "");
  for (const answer of [await first, await second]) {
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ gateway: { state: "stopped" } });
  }
  expect(await kept(".openclaw/workspace/may-end")).toBe(true);
});

test("a pass that hangs shows in how long ago everything was kept, though nothing has failed", async () => {
  const workspace = join(rig.folders.home, ".openclaw/workspace");
  await rig.boot({ backups: { intervalMs: 0 } });
  await expect.poll(() => kept(".openclaw/workspace/begun"), { timeout: 30_000 }).toBe(true);
  const sinceKept = async () => (await rig.status()).backups?.sinceKeptMs ?? -1;
  hangs = true;
  writeFileSync(join(rig.folders.home, "may-run"), "");
  await expect.poll(() => existsSync(join(workspace, "runs")), { timeout: 30_000 }).toBe(true);
  await rig.until(({ backups }) => backups?.dirtySince === undefined);
  let before = await sinceKept();
  for (let looks = 0; looks < 5; looks += 1) {
    const now = await sinceKept();
    expect(now).toBeGreaterThan(before);
    before = now;
    await sleep(100);
  }
  expect((await rig.status()).backups).toMatchObject({ state: "watching", failures: 0 });
  writeFileSync(join(workspace, "may-end"), "");
  rig.process.kill("SIGKILL");
});
