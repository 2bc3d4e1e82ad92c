/**
 * The agent runs as another user. The kernel then refuses it the supervisor's memory, environment
 * and signals (ptrace(2), kill(2)). `setpriv`, where the image has it, also takes away what
 * setuid programs could give.
 */
import { spawn } from "node:child_process";
import { chownSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../settings.ts";
import type { AgentProcess, AgentProgram } from "./agent-process.ts";
import { sendSignal, watchExit } from "./agent-process.ts";
import type { Isolation } from "./isolation.ts";

const SETPRIV = "/usr/bin/setpriv";

export function setuidIsolation(settings: Settings): Isolation {
  const uid = settings.agentUid;
  const ids = { uid, gid: uid };

  return {
    kind: "setuid",
    tmpDir: "/tmp",
    prepare() {
      mkdirSync(settings.home, { recursive: true });
      // Nothing runs as the agent yet, so no link can be swapped in while this walks.
      if (lstatSync(settings.home).uid !== uid) giveTree(settings.home, uid);
    },
    give(path) {
      chownSync(path, uid, uid);
    },
    spawn: (program) => Promise.resolve(spawnAs(program, ids)),
    async killAll() {
      // One kill(2) of -1 as that user: no process can fork its way out between two reads of /proc.
      const sweep = spawn("/bin/sh", ["-c", "kill -KILL -1"], {
        ...ids,
        detached: true,
        stdio: "ignore",
        env: {},
        cwd: "/",
      });
      await watchExit(sweep);
    },
  };
}

function spawnAs(program: AgentProgram, ids: { uid: number; gid: number }): AgentProcess {
  const argv = existsSync(SETPRIV) ? [SETPRIV, "--no-new-privs", ...program.argv] : program.argv;
  const [command = "", ...args] = argv;
  const child = spawn(command, args, {
    ...ids,
    env: program.env,
    cwd: program.cwd,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  if (!program.keepInput) child.stdin.end();
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: watchExit(child),
    pid: () => (running() ? child.pid : undefined),
    signal: (signal) => running() && child.pid !== undefined && sendSignal(child.pid, signal),
  };
}

function giveTree(path: string, uid: number): void {
  lchownSync(path, uid, uid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveTree(join(path, name), uid);
}
