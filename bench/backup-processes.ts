/** The supervisor's end of the backups as a process, and what it costs. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { peakBytes } from "../test/support/process-memory.ts";
import { sandboxBundle } from "../src/build/bundles.ts";
import { buildPaths, PROJECT_ROOT } from "../src/build/paths.ts";
import { ENVIRONMENT } from "../container/image.ts";
import { findBelow, treeCpuSeconds } from "./processes.ts";

export interface SandboxProcess {
  /** Answers with the milliseconds that it took. */
  ask(what: "restore" | "commit"): Promise<number>;
  /** Of it and its readers. */
  cpuMs(): number;
  peakBytes(): number;
  end(): Promise<void>;
}

export interface SandboxPrograms {
  supervisor: string;
  asAgent: string;
}

/** Each as one file, as a release has them: what is measured is not the compiler. */
export async function buildSandboxPrograms(folder: string): Promise<SandboxPrograms> {
  const { agentProgramSource } = buildPaths(PROJECT_ROOT);
  const supervisor = path.join(folder, "supervisor.mjs");
  const asAgent = path.join(folder, "agent-program.mjs");
  await build(sandboxBundle(path.join(import.meta.dirname, "backup-sandbox.ts"), supervisor));
  await build(sandboxBundle(agentProgramSource, asAgent));
  return { supervisor, asAgent };
}

/** What a supervisor runs with, as far as it matters here. */
const SANDBOX_ENV = { MALLOC_ARENA_MAX: ENVIRONMENT["MALLOC_ARENA_MAX"] ?? "" };

export function startSandboxProcess(
  { supervisor, asAgent }: SandboxPrograms,
  home: string,
  origin: string,
  recipient: string,
): SandboxProcess {
  const { child, line } = run(supervisor, [asAgent, home, origin, recipient], SANDBOX_ENV);
  const pid = child.pid ?? 0;
  return {
    async ask(what) {
      child.stdin?.write(`${what}\n`);
      return Number(await line());
    },
    cpuMs: () => treeCpuSeconds(pid) * 1000,
    peakBytes() {
      const reader = findBelow(pid, (command) => command.includes(" state-reader"));
      return peakBytes(pid) + (reader === undefined ? 0 : peakBytes(reader));
    },
    end: () => end(child),
  };
}

/** Milliseconds; throws when it fails or a tool is missing. */
export function shell(command: string): number {
  const began = performance.now();
  const done = spawnSync("bash", ["-c", `set -euo pipefail; ${command}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (done.status !== 0) throw new Error(`failed: ${command}: ${done.stderr.toString()}`);
  return performance.now() - began;
}

interface Running {
  child: ChildProcess;
  /** The next line that it prints; rejects when it ends before. */
  line(): Promise<string>;
}

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  if (child.stdout === null) throw new Error("no output");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async line() {
      const next = await lines.next();
      if (next.done === true) throw new Error("a process of the bench ended");
      return next.value;
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
