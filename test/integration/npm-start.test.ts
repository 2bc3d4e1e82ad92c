/** `npm start` as a person runs and ends it, through npm itself. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { PROJECT_ROOT } from "../../src/build/paths.ts";
import { descendants, isAlive } from "../support/process-tree.ts";

const LINKS_MS = 180_000;
const END_MS = 90_000;

/** Starts it in a process group of its own, as a shell does, and waits for the links. */
async function npmStart() {
  const folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-npm-"));
  const npm = spawn(
    "npm",
    ["start", "--", "--json", "--no-open", "--port", "0", "--admin-port", "0"].concat([
      "--state-dir",
      path.join(folder, "state"),
    ]),
    { cwd: PROJECT_ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"] },
  );
  const pid = npm.pid ?? Number.NaN;
  let told = "";
  npm.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
  onTestFinished(async () => {
    for (const one of [pid, ...descendants(pid).map((below) => below.pid)]) {
      if (isAlive(one)) process.kill(one, "SIGKILL");
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no links in time: ${told}`)), LINKS_MS);
    createInterface({ input: npm.stdout }).on("line", (line) => {
      told += `${line}\n`;
      if (!line.includes('"listening"')) return;
      clearTimeout(timer);
      resolve();
    });
    npm.once("exit", (code) => reject(new Error(`npm ended with ${code}: ${told}`)));
  });
  return { pid, family: [pid, ...descendants(pid).map((below) => below.pid)] };
}

test("Ctrl-C in a terminal, which reaches the whole group, leaves nothing running", async () => {
  const { pid, family } = await npmStart();
  process.kill(-pid, "SIGINT");
  await expect.poll(() => family.filter(isAlive), { timeout: END_MS }).toEqual([]);
}, 300_000);

test("a SIGTERM to npm alone, as from a service manager, leaves nothing running", async () => {
  const { pid, family } = await npmStart();
  process.kill(pid, "SIGTERM");
  await expect.poll(() => family.filter(isAlive), { timeout: END_MS }).toEqual([]);
}, 300_000);
