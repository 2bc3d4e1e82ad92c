/**
 * A sandbox as a process of its own, to be killed: the supervisor's backups with a real reader, and
 * an agent that writes turns, pairings and a memory file as fast as a busy conversation. Says `ready`.
 */
import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { roomAt } from "../../src/supervisor/backups/drill-room.ts";
import { HostClient } from "../../src/supervisor/backups/host-client.ts";
import { READER_ROLE } from "../../src/supervisor/agent-roles.ts";
import { runStateReader } from "../../src/supervisor/backups/reader.ts";
import { StateBackups } from "../../src/supervisor/backups/state-backups.ts";
import { hostReplyOf, TOKEN } from "./backup-rig.ts";

const [, program = "", role = "", home = "", origin = "", recipient = "", megabytes = "0"] =
  process.argv;

if (role === READER_ROLE) await runStateReader(process.stdin, process.stdout);
else await live();

async function live(): Promise<void> {
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  const backups = new StateBackups({
    agentId: "main",
    home,
    settings: { intervalMs: 1_000, recipient },
    host: new HostClient({ token: TOKEN, wait: sleep, send: sendTo(origin) }),
    openReader: async () => {
      const child = spawn(process.execPath, [program, READER_ROLE], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      return { stdin: child.stdin, stdout: child.stdout, end: () => void child.kill("SIGKILL") };
    },
    give: () => undefined,
    room: roomAt,
    log: { info: () => undefined, warn: say, error: say },
    now: Date.now,
    wait: sleep,
    seal: () => () => undefined,
    onChange: () => undefined,
  });
  const restored = await backups.restore();
  if (restored.outcome === "failed") {
    say(`failed ${restored.reason}: ${restored.message}`);
    process.exit(1);
  }
  const state = join(home, ".openclaw");
  const conversation = openDatabase(join(state, "agents/main/agent/openclaw-agent.sqlite"), [
    "CREATE TABLE IF NOT EXISTS turns (at INTEGER, text TEXT)",
    "CREATE TABLE IF NOT EXISTS ballast (bytes BLOB)",
  ]);
  if (conversation.prepare("SELECT 1 FROM ballast").get() === undefined) {
    const fill = conversation.prepare("INSERT INTO ballast VALUES (randomblob(1000000))");
    for (let i = 0; i < Number(megabytes); i++) fill.run();
  }
  const gateway = openDatabase(join(state, "state/openclaw.sqlite"), [
    "CREATE TABLE IF NOT EXISTS identity (id TEXT)",
    "CREATE TABLE IF NOT EXISTS pairings (n INTEGER PRIMARY KEY, at INTEGER, device TEXT)",
  ]);
  if (gateway.prepare("SELECT 1 FROM identity").get() === undefined) {
    gateway.exec("INSERT INTO identity VALUES (hex(randomblob(32)))");
  }
  mkdirSync(join(state, "workspace"), { recursive: true });
  await backups.commit("change");
  backups.watch();
  say("ready");
  const turn = conversation.prepare("INSERT INTO turns VALUES (?, ?)");
  const pairing = gateway.prepare(
    "INSERT INTO pairings (at, device) VALUES (?, hex(randomblob(32)))",
  );
  for (;;) {
    const at = Date.now();
    turn.run(at, "x".repeat(200 + (at % 800)));
    pairing.run(at);
    appendFileSync(join(state, "workspace/MEMORY.md"), `${at}\n`);
    writeFileSync(join(state, "workspace/last"), String(at));
    await sleep(50);
  }
}

function openDatabase(path: string, tables: readonly string[]): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  for (const table of tables) database.exec(table);
  return database;
}

function sendTo(base: string) {
  return async (request: {
    url: string;
    method: string;
    headers: Record<string, string>;
    body?: string | Uint8Array<ArrayBuffer>;
    signal: AbortSignal;
  }) => {
    const { pathname } = new URL(request.url);
    const { method, headers, body, signal } = request;
    const init = body === undefined ? {} : { body };
    const reply = await fetch(new URL(pathname, base), { method, headers, signal, ...init });
    return hostReplyOf(reply);
  };
}
