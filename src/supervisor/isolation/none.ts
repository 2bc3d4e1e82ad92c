/** No isolation at all: the agent may do what the supervisor may. Only where the image says so. */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../settings.ts";
import type { AgentProgram } from "./agent-process.ts";
import { sendSignal, watchExit } from "./agent-process.ts";
import type { Isolation } from "./isolation.ts";

export function noIsolation(settings: Settings): Isolation {
  const groups = new Set<number>();
  const tmpDir = join(settings.runDir, "tmp");
  return {
    kind: "none",
    tmpDir,
    prepare() {
      mkdirSync(settings.home, { recursive: true });
    },
    give: () => undefined,
    spawn(program: AgentProgram) {
      const [command, ...args] = program.argv;
      const child = spawn(command, args, {
        env: program.env,
        cwd: program.cwd,
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
      });
      const pid = child.pid;
      if (pid !== undefined) groups.add(pid);
      child.stdin.on("error", () => undefined);
      if (!program.keepInput) child.stdin.end();
      const running = () => child.exitCode === null && child.signalCode === null;
      return Promise.resolve({
        stdin: child.stdin,
        stdout: child.stdout,
        stderr: child.stderr,
        exited: watchExit(child),
        pid: () => (running() ? pid : undefined),
        signal: (signal) => running() && pid !== undefined && sendSignal(pid, signal),
      });
    },
    killAll() {
      // A negative pid is a process group; what left its group is out of reach here.
      for (const group of groups) sendSignal(-group, "SIGKILL");
      groups.clear();
      return Promise.resolve();
    },
  };
}
