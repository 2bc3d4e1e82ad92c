/**
 * The agent runs in user and pid namespaces of its own, made by bubblewrap. The supervisor is not in
 * its /proc and has no pid there to signal; and being of the outer user namespace it is closed to
 * ptrace(2) from inside, although both have one user id on the host.
 *
 * bubblewrap's own init in the new pid namespace reaps orphans, and the namespace takes every
 * process with it when that init dies.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Duplex, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { Settings } from "../settings.ts";
import type { AgentProcess, AgentProgram, Exit } from "./agent-process.ts";
import { exitOfStatus, sendSignal, watchExit } from "./agent-process.ts";
import type { Isolation } from "./isolation.ts";
import { readProcess, readProcessTable } from "./process-table.ts";

const ARGS_FD = 3;
const INFO_FD = 4;
const SECCOMP_FD = 5;
const PROBE_MS = 5_000;
const FIND_MS = 5_000;
const END_MS = 5_000;
const FIND_EVERY_MS = 10;

/** bubblewrap writes this to its information descriptor once the namespaces exist. */
const sandboxInfo = z.object({ "child-pid": z.number().int().positive() });

export function usernsIsolation(settings: Settings): Isolation {
  return {
    kind: "userns",
    tmpDir: "/tmp",
    prepare() {
      mkdirSync(settings.home, { recursive: true });
    },
    // One user id on the host: what the supervisor writes is already the agent's.
    give: () => undefined,
    spawn: (program) => spawnNested(settings, program),
    // Every namespace died with the program that was started in it.
    killAll: () => Promise.resolve(),
  };
}

/** Runs `true` in such a namespace once: the only proof that this host allows it. */
export async function usernsWorks(
  settings: Settings,
): Promise<{ ok: true } | { ok: false; why: string }> {
  const program: AgentProgram = { argv: ["true"], env: { PATH: "/usr/bin:/bin" }, cwd: "/" };
  let probe: AgentProcess;
  try {
    probe = await spawnNested(settings, program);
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
  let said = "";
  probe.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const timer = setTimeout(() => probe.signal("SIGKILL"), PROBE_MS);
  const exit = await probe.exited;
  clearTimeout(timer);
  if (exit.code === 0) return { ok: true };
  return {
    ok: false,
    why: exit.failure ?? (said.trim().slice(0, 500) || `exit code ${exit.code}`),
  };
}

function bubblewrapArguments(settings: Settings, cwd: string, seccomp: boolean): string[] {
  const shared = join(settings.runDir, "agent");
  return [
    ["--bind", "/", "/"],
    ["--dev-bind", "/dev", "/dev"],
    ["--proc", "/proc"],
    ["--bind", join(settings.runDir, "tmp"), "/tmp"],
    ["--tmpfs", settings.runDir],
    ["--ro-bind", shared, shared],
    ["--remount-ro", settings.runDir],
    ["--unshare-user", "--unshare-pid"],
    ["--uid", String(settings.agentUid), "--gid", String(settings.agentUid)],
    ["--cap-drop", "ALL"],
    ["--die-with-parent", "--new-session"],
    ["--chdir", cwd],
    seccomp ? ["--seccomp", String(SECCOMP_FD)] : [],
  ].flat();
}

async function spawnNested(settings: Settings, program: AgentProgram): Promise<AgentProcess> {
  const seccomp = existsSync(settings.seccompFile)
    ? openSync(settings.seccompFile, "r")
    : undefined;
  // Arguments travel through a descriptor so that no process list shows them.
  const child = spawn(
    "bwrap",
    ["--args", String(ARGS_FD), "--info-fd", String(INFO_FD), "--", ...program.argv],
    {
      env: program.env,
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe", "pipe", "pipe", ...(seccomp === undefined ? [] : [seccomp])],
    },
  );
  if (seccomp !== undefined) closeSync(seccomp);
  const { stdin, stdout, stderr } = child;
  const args = child.stdio[ARGS_FD];
  const info = child.stdio[INFO_FD];
  if (!stdin || !stdout || !stderr || !(args instanceof Duplex) || !(info instanceof Readable)) {
    throw new Error("the pipes of bubblewrap could not be made");
  }
  for (const stream of [stdin, args, info]) stream.on("error", () => undefined);
  if (!program.keepInput) stdin.end();
  const list = bubblewrapArguments(settings, program.cwd, seccomp !== undefined);
  args.end(list.map((argument) => `${argument}\0`).join(""));

  const monitor = watchExit(child);
  const init = readInit(info);
  const exited = monitor.then(async (exit): Promise<Exit> => {
    const pid = await init;
    if (pid !== undefined) await untilGone(pid);
    return exit.code === undefined ? exit : exitOfStatus(exit.code);
  });
  let found: { pid: number; startTicks: number } | undefined;
  const gone = new AbortController();
  void exited.then(() => gone.abort());
  const giveUp = AbortSignal.any([gone.signal, AbortSignal.timeout(FIND_MS)]);
  const find = init.then((pid) => (pid === undefined ? undefined : findProgram(pid, giveUp)));
  void find.then((row) => (found = row));

  const alive = () => {
    if (found === undefined) return undefined;
    return readProcess(found.pid)?.startTicks === found.startTicks ? found.pid : undefined;
  };
  return {
    stdin,
    stdout,
    stderr,
    exited,
    pid: alive,
    signal(signal) {
      const pid = alive();
      if (pid !== undefined) return sendSignal(pid, signal);
      // The program is not there yet or could not be found: its monitor takes it along.
      return child.pid !== undefined && child.exitCode === null && sendSignal(child.pid, "SIGKILL");
    },
  };
}

/** The pid of bubblewrap's init, seen from here. */
async function readInit(info: Readable): Promise<number | undefined> {
  let text = "";
  for await (const chunk of info.setEncoding("utf8")) text += String(chunk);
  try {
    return sandboxInfo.parse(JSON.parse(text))["child-pid"];
  } catch {
    return undefined;
  }
}

/**
 * The monitor reports the program's end at once; the kernel takes the rest of the namespace after
 * that. Its init becomes a zombie when nothing else is left in there.
 */
async function untilGone(init: number): Promise<void> {
  for (let waited = 0; waited < END_MS; waited += FIND_EVERY_MS) {
    const row = readProcess(init);
    if (row === undefined || row.state === "Z") return;
    await sleep(FIND_EVERY_MS);
  }
}

/** The program is the process numbered 2 in the namespace whose number 1 is `init`. */
async function findProgram(
  init: number,
  signal: AbortSignal,
): Promise<{ pid: number; startTicks: number } | undefined> {
  while (!signal.aborted) {
    const row = readProcessTable().find((one) => one.parent === init && innerPid(one.pid) === 2);
    if (row !== undefined) return { pid: row.pid, startTicks: row.startTicks };
    await sleep(FIND_EVERY_MS);
  }
  return undefined;
}

function innerPid(pid: number): number | undefined {
  try {
    const line = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    const last = line?.trim().split(/\s+/).at(-1);
    return last === undefined ? undefined : Number(last);
  } catch {
    return undefined;
  }
}
