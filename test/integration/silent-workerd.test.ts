/** A workerd that is there and does nothing, and one that dies: both come back with their storage. */
import { convertV4MiniflareOptions } from "miniflare";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../src/local/free-port.ts";
import { KEEP_TIMES, keepRuntime } from "../../src/local/start/liveness/kept-runtime.ts";
import type { LookTimes } from "../../src/local/start/liveness/silence.ts";
import { COMPATIBILITY_DATE } from "../../src/worker/version.ts";
import { descendants, killDescendants } from "../support/process-tree.ts";
import type { TreeProcess } from "../support/process-tree.ts";
import { BY_ITSELF } from "../support/worker-module.ts";

/** Nobody waits half a minute here, nor a minute and a half for a start. */
const SOON: LookTimes = { everyMs: 200, answerMs: 1_000, silentMs: 4_000, startMs: 30_000 };
const BACK = { timeout: 100_000, interval: 100 };

const SCRIPT = `
import { DurableObject } from "cloudflare:workers";
export class Keeper extends DurableObject {
  keep(word) {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS kept (word TEXT PRIMARY KEY)");
    if (word !== null) sql.exec("INSERT INTO kept VALUES (?)", word);
    return sql.exec("SELECT word FROM kept").toArray().map((row) => row.word);
  }
}
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/loop") for (;;) request.url;
    if (pathname === "/kept") {
      return Response.json(await env.KEEPER.getByName("one").keep(searchParams.get("word")));
    }
    return new Response("alive");
  },
};
`;

async function kept(times: LookTimes) {
  const folder = await mkdtemp(path.join(tmpdir(), "silent-workerd-"));
  const port = await freePort();
  const url = new URL(`http://127.0.0.1:${port}/`);
  const ending = new AbortController();
  const said: string[] = [];
  const restarts: number[] = [];
  const runtime = await keepRuntime({
    options: async (carried) =>
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port,
        ...BY_ITSELF,
        ...carried,
        handleStructuredLogs: () => undefined,
        resourcePersistencePath: folder,
        modules: true,
        script: SCRIPT,
        compatibilityDate: COMPATIBILITY_DATE,
        durableObjects: { KEEPER: { className: "Keeper", useSQLite: true } },
      }),
    look: () => new URL("/healthz", url),
    times,
    ending: ending.signal,
    onLog: () => undefined,
    onRestart: () => restarts.push(restarts.length),
    onSilent: (text) => said.push(text),
  });
  onTestFinished(async () => {
    await runtime.close();
    await rm(folder, { recursive: true, force: true });
  });
  const words = async (query = ""): Promise<unknown> => {
    const reply = await fetch(new URL(`/kept${query}`, url), {
      signal: AbortSignal.timeout(10_000),
    });
    return await reply.json();
  };
  expect(await words("?word=medlar")).toEqual(["medlar"]);
  const isBack = () => expect.poll(() => words().catch(String), BACK).toEqual(["medlar"]);
  return { url, runtime, ending, said, restarts, isBack, pid: onlyPid() };
}

const isWorkerd = ({ command }: TreeProcess) =>
  command.includes("workerd") && command.includes("serve");

const workerds = () => descendants(process.pid).filter(isWorkerd);

function onlyPid(): number {
  const [one, ...more] = workerds();
  if (one === undefined || more.length > 0) throw new Error("there is not one workerd");
  return one.pid;
}

test("a workerd that is stopped is ended and started again on the same storage, and it is said", async () => {
  const { pid, said, restarts, isBack } = await kept(SOON);
  process.kill(pid, "SIGSTOP");
  await expect.poll(() => restarts.length, BACK).toBeGreaterThan(0);
  await isBack();
  expect(said[0]).toMatch(/^workerd has given no answer for \d+ s: it is ended and started again$/);
  expect(onlyPid()).not.toBe(pid);
});

test("a Worker that never ends its work is ended", async () => {
  const { url, pid, said, isBack } = await kept(SOON);
  const looping = fetch(new URL("/loop", url)).catch(String);
  await isBack();
  expect(await looping).toContain("fetch failed");
  expect(said).not.toEqual([]);
  expect(onlyPid()).not.toBe(pid);
});

test("a workerd that is killed is left to Miniflare: it is started once, and nothing is said", async () => {
  const { pid, said, restarts, isBack } = await kept(KEEP_TIMES);
  process.kill(pid, "SIGKILL");
  await expect.poll(() => restarts.length, BACK).toBe(1);
  const next = onlyPid();
  await isBack();
  expect(onlyPid()).toBe(next);
  expect(restarts).toHaveLength(1);
  expect(said).toEqual([]);
});

test("a Miniflare whose starts hang is replaced, and what it started is gone", async () => {
  const { runtime, pid, said, restarts, isBack } = await kept(SOON);
  const before = runtime.miniflare();
  process.kill(pid, "SIGKILL");
  // Its own start, and the one that it is asked for then, wait for what a stopped one never says.
  const stopped = new Set<number>();
  while (runtime.miniflare() === before) {
    for (const one of workerds()) {
      if (stopped.has(one.pid)) continue;
      process.kill(one.pid, "SIGSTOP");
      stopped.add(one.pid);
    }
    await sleep(10);
  }
  expect(stopped.size).toBeGreaterThan(1);
  expect(said.at(-1)).toMatch(/it and what starts it are replaced; the agent starts anew$/);
  await expect.poll(() => restarts.length, BACK).toBeGreaterThan(0);
  await isBack();
  expect(stopped).not.toContain(onlyPid());
}, 300_000);

test("during an orderly end nothing is ended early, and the end takes a stopped one with it", async () => {
  const { runtime, pid, ending, said } = await kept(SOON);
  ending.abort();
  killDescendants(process.pid, isWorkerd, "SIGSTOP");
  await sleep(SOON.silentMs + 4 * SOON.answerMs);
  expect(said).toEqual([]);
  expect(onlyPid()).toBe(pid);
  await runtime.close();
  expect(workerds()).toEqual([]);
});
