import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { PROJECT_ROOT } from "../../src/build/paths.ts";
import type { StartEvent } from "../../src/local/start/report.ts";

export const MAIN = path.join(PROJECT_ROOT, "src", "cli", "main.ts");

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `moltworker <args>` to its end. */
export async function runCommand(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: PROJECT_ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...cleanEnvironment(), ...env },
  });
  const result: CommandResult = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (result.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (result.stderr += chunk.toString()));
  await once(child, "close");
  result.code = child.exitCode;
  return result;
}

export interface LocalStart {
  url: string;
  adminUrl: string;
  /** The Control UI link with its token. */
  controlUi: string;
  /** The one-time admin link. */
  admin: string;
  token: string;
  /** Process id of the launcher: what a person would signal. */
  pid: number;
  /** Everything reported so far. */
  events: StartEvent[];
  /** The next event (or an earlier one) that fits. */
  event(fits: (one: StartEvent) => boolean, deadlineMs: number): Promise<StartEvent>;
  /** SIGINT, as Ctrl-C; answers the exit code. */
  stop(): Promise<number | null>;
  exited: Promise<number | null>;
}

export interface LocalStartOptions {
  stateDir: string;
  args?: readonly string[];
  env?: Record<string, string>;
  deadlineMs?: number;
}

/** `npm start` as a person runs it, on free ports, told what it says as events. */
export async function startLocal(options: LocalStartOptions): Promise<LocalStart> {
  const args = ["--state-dir", options.stateDir, "--port", "0", "--admin-port", "0", "--json"];
  const child = spawn(
    process.execPath,
    [MAIN, "start", ...args, "--no-open", ...(options.args ?? [])],
    {
      cwd: PROJECT_ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...cleanEnvironment(), ...options.env },
    },
  );
  const events: StartEvent[] = [];
  const waiting = new Set<() => void>();
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = once(child, "close").then(() => {
    for (const wake of waiting) wake();
    return child.exitCode;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const told: StartEvent = JSON.parse(line);
    events.push(told);
    for (const wake of waiting) wake();
  });

  async function event(fits: (one: StartEvent) => boolean, deadlineMs: number) {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const found = events.find((one) => fits(one));
      if (found !== undefined) return found;
      const left = end - Date.now();
      if (left <= 0 || child.exitCode !== null || child.signalCode !== null) {
        const told = events.map((one) => JSON.stringify(one)).join("\n");
        throw new Error(`it never came (exit ${child.exitCode}):\n${told}\n${stderr}`);
      }
      const woken = Promise.withResolvers<void>();
      const timer = setTimeout(woken.resolve, left);
      waiting.add(woken.resolve);
      await woken.promise;
      waiting.delete(woken.resolve);
      clearTimeout(timer);
    }
  }

  async function stop() {
    child.kill("SIGINT");
    return await exited;
  }

  const listening = await event((one) => one.event === "listening", options.deadlineMs ?? 120_000);
  if (listening.event !== "listening") throw new Error("unreachable");
  return {
    url: listening.url,
    adminUrl: listening.adminUrl,
    controlUi: listening.controlUi,
    admin: listening.admin,
    token: new URL(listening.controlUi).searchParams.get("token") ?? "",
    pid: child.pid ?? 0,
    events,
    event,
    stop,
    exited,
  };
}

/** Whatever provider keys this machine has are not the test's to use. */
function cleanEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "LANG", "TMPDIR", "CI"];
  return Object.fromEntries(kept.map((name) => [name, process.env[name] ?? ""]));
}
