/**
 * The supervisor's side of the backups as a process of its own, with a real reader below it. Arguments:
 * the program of the reader, home, the Worker's address, the age recipient. Takes `restore` and `commit`
 * as lines, and answers each with what it took, in milliseconds.
 */
import "../src/supervisor/engine-flags.ts";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { READER_ROLE } from "../src/supervisor/agent-roles.ts";
import { roomAt } from "../src/supervisor/backups/drill-room.ts";
import { HostClient } from "../src/supervisor/backups/host-client.ts";
import { sendToHost } from "../src/supervisor/backups/host-send.ts";
import { StateBackups } from "../src/supervisor/backups/state-backups.ts";
import { TOKEN } from "../test/support/backup-rig.ts";

const [, , program = "", home = "", origin = "", recipient = ""] = process.argv;

await serve();

async function serve(): Promise<void> {
  const fail = (text: string): void => void process.stderr.write(`${text}\n`);
  const backups = new StateBackups({
    agentId: "main",
    home,
    settings: { intervalMs: 0, recipient },
    host: new HostClient({
      token: TOKEN,
      wait: sleep,
      send: (request) =>
        sendToHost({ ...request, url: new URL(new URL(request.url).pathname, origin).href }),
    }),
    openReader: async () => {
      const child = spawn(process.execPath, [program, READER_ROLE], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      return { stdin: child.stdin, stdout: child.stdout, end: () => void child.kill("SIGKILL") };
    },
    give: () => undefined,
    room: roomAt,
    log: { info: () => undefined, warn: fail, error: fail },
    now: Date.now,
    wait: sleep,
    seal: () => () => undefined,
    onChange: () => undefined,
  });
  for await (const line of createInterface({ input: process.stdin })) {
    const began = performance.now();
    if (line === "restore") {
      const restored = await backups.restore();
      if (restored.outcome === "failed") throw new Error(`${restored.reason}: ${restored.message}`);
    } else {
      const made = await backups.commit("change");
      if (!made.ok) throw new Error(`${made.reason}: ${made.message}`);
    }
    process.stdout.write(`${performance.now() - began}\n`);
  }
  backups.close();
}
