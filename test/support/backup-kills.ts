/** Kills sandboxes at random moments and looks at what the next one has. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { generateX25519Identity } from "age-encryption";
import { memoryBucket } from "./backup-bucket.ts";
import { workerSide } from "./backup-rig.ts";
import { serveBackups } from "./backup-server.ts";

export interface Kill {
  /** Milliseconds of writing before the kill. */
  after: number;
  /** Milliseconds between the newest of each kind that came back and the kill. */
  lost: { turns: number; memory: number; pairings: number; total: number };
  /** `ok`, or what SQLite said of the first broken database. */
  integrity: string;
  /** The agent's own; the first sandbox makes it. */
  identity: string;
  /** Turns and paired devices that came back; they only ever grow. */
  turns: number;
  pairings: number;
  /** Pairings that are missing between two that came back. */
  gaps: number;
}

export interface KillOptions {
  kills: number;
  /** Size of the database beside what is written. */
  megabytes: number;
  /** 0 to 1, from the caller so that a run can be repeated. */
  random: () => number;
  onKill?: (kill: Kill, n: number) => void;
}

const PROGRAM = join(import.meta.dirname, "backup-sandbox.ts");

export async function killSandboxes(options: KillOptions): Promise<Kill[]> {
  const identity = await generateX25519Identity();
  const worker = await workerSide(memoryBucket(), { identities: [identity] });
  let start = 0;
  const server = await serveBackups(worker, () => start);
  const done: Kill[] = [];
  let before: { at: number; after: number } | undefined;
  try {
    for (let n = 0; n <= options.kills; n++) {
      start += 1;
      const claimed = await worker.backups.claim(start);
      if (!claimed.ok) throw new Error(claimed.message);
      const home = mkdtempSync(join(tmpdir(), "backup-kill-"));
      const { recipient = "" } = worker.keys ?? {};
      const child = spawnSandbox(home, server.origin, recipient, options.megabytes);
      try {
        await untilReady(child);
        if (before !== undefined) {
          const kill = lookAt(home, before);
          done.push(kill);
          options.onKill?.(kill, done.length);
        }
        if (n === options.kills) break;
        const after = 1_500 + options.random() * 4_000;
        await sleep(after);
        before = { at: Date.now(), after };
      } finally {
        killGroup(child);
        await once(child, "exit").catch(() => undefined);
        rmSync(home, { recursive: true, force: true });
      }
    }
  } finally {
    server.close();
  }
  return done;
}

/** Rows and lines from before the kill: what the new sandbox wrote since is newer than that. */
function lookAt(home: string, { at, after }: { at: number; after: number }): Kill {
  const state = join(home, ".openclaw");
  const conversation = ask(
    join(state, "agents/main/agent/openclaw-agent.sqlite"),
    `SELECT max(at) AS newest, count(*) AS count FROM turns WHERE at <= ${at}`,
  );
  const gateway = ask(
    join(state, "state/openclaw.sqlite"),
    `SELECT max(at) AS newest, count(*) AS count, max(n) AS last, (SELECT id FROM identity) AS identity
     FROM pairings WHERE at <= ${at}`,
  );
  const lines = readFileSync(join(state, "workspace/MEMORY.md"), "utf8").trim().split("\n");
  const inFile = Math.max(...lines.map(Number).filter((one) => one <= at));
  // Before the first turn was ever kept, all of the writing is lost.
  const lost = {
    turns: at - Number(conversation.row["newest"]),
    memory: at - inFile,
    pairings: at - Number(gateway.row["newest"]),
  };
  const [pairings, last] = [Number(gateway.row["count"]), Number(gateway.row["last"])];
  return {
    after,
    lost: { ...lost, total: Math.max(lost.turns, lost.memory, lost.pairings) },
    integrity: [conversation, gateway].find((one) => one.integrity !== "ok")?.integrity ?? "ok",
    identity: String(gateway.row["identity"]),
    turns: Number(conversation.row["count"]),
    pairings,
    gaps: last - pairings,
  };
}

function ask(path: string, sql: string) {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const check = database.prepare("PRAGMA integrity_check").get() ?? {};
    return {
      integrity: String(check["integrity_check"]),
      row: database.prepare(sql).get() ?? {},
    };
  } finally {
    database.close();
  }
}

export function spawnSandbox(
  home: string,
  origin: string,
  recipient: string,
  megabytes: number,
): ChildProcess {
  const args = ["live", home, origin, recipient, String(megabytes)];
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PROGRAM, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
}

export async function untilReady(child: ChildProcess): Promise<void> {
  const { stdout } = child;
  if (stdout === null) throw new Error("no output");
  const seen: string[] = [];
  for await (const line of createInterface({ input: stdout })) {
    seen.push(line);
    if (line === "ready") return;
  }
  throw new Error(`the sandbox ended: ${seen.join("; ")}`);
}

/** The sandbox and everything in it at once, as an out-of-memory killer or a lost host would. */
export function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
