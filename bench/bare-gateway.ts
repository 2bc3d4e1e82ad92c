/** The pinned gateway started by hand: no sandbox, no supervisor, a copy of the same state. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PROJECT_ROOT, buildPaths } from "../src/build/paths.ts";
import { freePort } from "../src/local/free-port.ts";
import { GATEWAY_TOKEN_PATH } from "../src/worker/agent/gateway-config.ts";
import { treeCpuSeconds } from "./processes.ts";

const START_MS = 180_000;
const STOP_MS = 30_000;
/** As often as the supervisor asks its own. */
const POLL_MS = 100;

export interface StartCost {
  /** From the start of the program until it says that it is ready. */
  ms: number;
  cpuSeconds: number;
}

export interface BareGateway {
  url: string;
  token: string;
  start(): Promise<StartCost>;
  stop(): Promise<void>;
  remove(): Promise<void>;
}

/** @param home home folder of the agent, whose gateway is stopped */
export async function copyGateway(home: string): Promise<BareGateway> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "bench-gateway-"));
  const own = path.join(folder, "home");
  const token = "gateway-token-of-this-bench-0123456789";
  const tokenFile = path.join(folder, "gateway-token");
  // Its own compile cache is filled by its own warm-up, where its launcher puts it by default.
  const caches = path.join(home, ".cache");
  await cp(home, own, { recursive: true, filter: (source) => source !== caches });
  await mkdir(path.join(folder, "tmp"));
  await writeFile(tokenFile, token, { mode: 0o600 });
  const configFile = path.join(own, ".openclaw", "openclaw.json");
  const config = await readFile(configFile, "utf8");
  await writeFile(configFile, config.replaceAll(GATEWAY_TOKEN_PATH, tokenFile));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  return {
    url,
    token,
    async start() {
      const began = performance.now();
      child = spawn(process.execPath, [openclaw, "gateway", "run", "--port", String(port)], {
        cwd: own,
        stdio: "ignore",
        env: {
          PATH: process.env["PATH"],
          HOME: own,
          TMPDIR: path.join(folder, "tmp"),
          OPENCLAW_NO_RESPAWN: "1",
          OPENCLAW_DISABLE_BONJOUR: "1",
          OPENCLAW_SUPERVISOR_MODE: "external",
        },
      });
      while (!(await isReady(url))) {
        if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
        if (performance.now() - began > START_MS) throw new Error("the gateway is never ready");
        await sleep(POLL_MS);
      }
      const ms = performance.now() - began;
      return { ms, cpuSeconds: treeCpuSeconds(child.pid ?? 0) };
    },
    async stop() {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null) return;
      const gone = once(running, "exit");
      running.kill("SIGTERM");
      const force = setTimeout(() => running.kill("SIGKILL"), STOP_MS);
      await gone;
      clearTimeout(force);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

const openclaw = path.join(buildPaths(PROJECT_ROOT).openclaw, "openclaw.mjs");

async function isReady(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) });
    return JSON.stringify(await reply.json()).includes('"ready":true');
  } catch {
    return false;
  }
}
