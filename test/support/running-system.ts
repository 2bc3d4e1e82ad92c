/** `npm start` as a person runs it, in a folder of its own, driven from outside. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const ROOT = path.resolve(import.meta.dirname, "../..");
const START_DEADLINE_MS = 120_000;

const listening = z.object({
  event: z.literal("listening"),
  url: z.string(),
  controlUi: z.string(),
  admin: z.string(),
  adminUrl: z.string(),
});

const status = z.looseObject({
  phase: z.string(),
  startGeneration: z.number(),
  lastError: z.unknown().optional(),
});
export type SystemStatus = z.infer<typeof status>;

const deviceList = z.object({
  pending: z.array(z.looseObject({ deviceId: z.string() })),
  paired: z.array(z.looseObject({ deviceId: z.string() })),
});

export interface RunningSystem {
  stateDir: string;
  /** Origin of the agent's port. */
  url: string;
  /** The link that a person opens, with its token. */
  controlUi: string;
  token: string;
  /** The one-time admin link, used already. */
  adminLink: string;
  adminUrl: string;
  /** `name=value` of the admin's cookie. */
  adminCookie: string;
  /** Every line the system printed, as data. */
  events: { event: string; [key: string]: unknown }[];
  process: ChildProcess;
  /** Calls the admin API with the admin's cookie. */
  admin(pathname: string, init?: { method?: string; body?: unknown }): Promise<unknown>;
  status(): Promise<SystemStatus>;
  /** Waits until the agent is in this phase. */
  reach(phase: string, deadlineMs?: number): Promise<SystemStatus>;
  /**
   * Stops the agent; answers the number of the start that ended. What is due wakes it again at once,
   * so that nobody may ever see it stopped.
   */
  stopAgent(): Promise<number>;
  devices(): Promise<z.infer<typeof deviceList>>;
  /** As Ctrl-C does; answers the exit code. */
  stop(): Promise<number | null>;
}

export interface SystemOptions {
  stateDir?: string;
  args?: string[];
  /** Another program than the command line, with the options of `start`. */
  program?: string;
  env?: Record<string, string>;
}

/** A folder for the state, removed by the test that made it. */
export function makeStateDir(): Promise<string> {
  return mkdtemp(path.join(os.tmpdir(), "moltworker-e2e-"));
}

export async function removeStateDir(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

export async function startSystem(options: SystemOptions = {}): Promise<RunningSystem> {
  const stateDir = options.stateDir ?? (await makeStateDir());
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      ...(options.program === undefined ? ["src/cli/main.ts", "start"] : [options.program]),
      "--json",
      "--no-open",
      ...["--port", "0", "--admin-port", "0", "--state-dir", stateDir],
      ...(options.args ?? []),
    ],
    {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...cleanEnvironment(), ...options.env },
    },
  );
  const events: RunningSystem["events"] = [];
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-20_000);
  });
  const open = await new Promise<z.infer<typeof listening>>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(told("no links in time"))), START_DEADLINE_MS);
    const told = (why: string) => `${why}\n${JSON.stringify(events.slice(-20))}\n${stderr}`;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = parseLine(line);
      events.push(event);
      const opened = listening.safeParse(event);
      if (!opened.success) return;
      clearTimeout(timer);
      resolve(opened.data);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(told(`npm start ended with ${code}`)));
    });
  });

  const login = await fetch(open.admin, { redirect: "manual" });
  const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const token = new URL(open.controlUi).searchParams.get("token") ?? "";

  const system: RunningSystem = {
    stateDir,
    url: new URL(open.url).origin,
    controlUi: open.controlUi,
    token,
    adminLink: open.admin,
    adminUrl: new URL(open.adminUrl).origin,
    adminCookie: cookie,
    events,
    process: child,
    async admin(pathname, init = {}) {
      const response = await fetch(new URL(pathname, open.adminUrl), {
        method: init.method ?? (init.body === undefined ? "GET" : "POST"),
        headers: {
          Cookie: cookie,
          Origin: new URL(open.adminUrl).origin,
          ...(init.body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${pathname}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    async status() {
      return status.parse(await system.admin("/api/status"));
    },
    async reach(phase, deadlineMs = 120_000) {
      const until = Date.now() + deadlineMs;
      for (;;) {
        const now = await system.status();
        if (now.phase === phase) return now;
        if (Date.now() > until) {
          throw new Error(
            `not ${phase} in time: ${JSON.stringify(now)}\n${JSON.stringify(events.slice(-30))}\n${stderr}`,
          );
        }
        await sleep(200);
      }
    },
    async stopAgent() {
      const { startGeneration } = await system.status();
      await system.admin("/api/agent/stop", { body: {} });
      const until = Date.now() + 120_000;
      for (;;) {
        const now = await system.status();
        if (now.phase === "stopped" || now.startGeneration > startGeneration) {
          return startGeneration;
        }
        if (Date.now() > until) throw new Error(`not stopped in time: ${JSON.stringify(now)}`);
        await sleep(200);
      }
    },
    async devices() {
      return deviceList.parse(await system.admin("/api/devices"));
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const gone = once(child, "exit");
      child.kill("SIGINT");
      await gone;
      return child.exitCode;
    },
  };
  return system;
}

function parseLine(line: string): { event: string; [key: string]: unknown } {
  try {
    return z.looseObject({ event: z.string() }).parse(JSON.parse(line));
  } catch {
    return { event: "not-json", line };
  }
}

/** The machine's own settings must not leak into the system under test. */
function cleanEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR", "LANG", "TERM", "CI"];
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
