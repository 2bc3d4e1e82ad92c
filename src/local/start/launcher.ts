/**
 * The process that the terminal knows. It checks the options and starts the server in a process
 * group of its own, so that Ctrl-C, which a terminal sends to a whole group, reaches the server only
 * as a request to end cleanly and not workerd or the sandbox beneath it. When the server dies
 * without having cleaned up, its group is ended from here.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { EXIT } from "../../cli/exit.ts";
import { START_HELP, parseStartOptions } from "./options.ts";

/** One Ctrl-C may arrive twice: from the terminal, and passed on by the process above. */
const SAME_REQUEST_MS = 1000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function runStart(args: readonly string[]): Promise<number> {
  const parsed = parseStartOptions(args);
  if (parsed.kind === "help") {
    process.stdout.write(START_HELP);
    return Promise.resolve(EXIT.ok);
  }
  if (parsed.kind === "problem") {
    process.stderr.write(`moltworker start: ${parsed.problem}\n\nTry --help.\n`);
    return Promise.resolve(EXIT.usage);
  }
  const server = path.join(import.meta.dirname, "server.ts");
  const child = spawn(process.execPath, [...process.execArgv, server, ...args], {
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });

  let askedAt: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = Date.now();
      if (askedAt === undefined) {
        askedAt = now;
        child.kill("SIGTERM");
      } else if (now - askedAt > SAME_REQUEST_MS) endGroup(child.pid);
    });
  }
  return new Promise((resolve) => {
    child.on("error", (error) => {
      process.stderr.write(`moltworker start: ${error.message}\n`);
      resolve(EXIT.failed);
    });
    child.on("exit", (code) => {
      endGroup(child.pid);
      resolve(code ?? EXIT.failed);
    });
  });
}

/** Everything that is still in the server's group; nothing is, after a clean end. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // The group is empty.
  }
}
