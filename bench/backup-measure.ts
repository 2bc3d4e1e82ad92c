/** One size of state through commits, a restore, and what a person would run by hand. */
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { startBackupRuntime, type BackupRuntime } from "../test/support/backup-runtime.ts";
import {
  buildSandboxPrograms,
  shell,
  startSandboxProcess,
  type SandboxPrograms,
} from "./backup-processes.ts";

export interface Measured {
  megabytes: number;
  commitMs: number[];
  /** Of one turn of a conversation, and of one heartbeat of a gateway that does nothing else. */
  turnCpuMs: number;
  heartbeatCpuMs: number;
  /** What one turn adds to the bucket. */
  bytes: number;
  writes: number;
  operations: number;
  restoreMs: number[];
  /** `zstd -d | tar -x`, and the same behind `age -d` with an integrity check of the database. */
  plainMs: number[];
  byHandMs: number[];
  sandboxPeak: number;
}

export interface Plan {
  megabytes: number;
  turns: number;
  heartbeats: number;
  restores: number;
}

const DATABASE = ".openclaw/state/openclaw.sqlite";
const BLOB = 500_000;
/** The manifest is written once a second at the most: a commit that comes sooner waits for its turn. */
const BETWEEN_COMMITS_MS = 1_100;

export async function measure(plan: Plan): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "backup-bench-"));
  const make = (name: string) => {
    mkdirSync(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const programs = await buildSandboxPrograms(make("program"));
  const worker = await startBackupRuntime(identity);
  const ends: (() => Promise<void>)[] = [() => worker.close()];
  try {
    const home = make("home");
    const sandbox = startSandboxProcess(programs, home, worker.origin, recipient);
    ends.push(() => sandbox.end());
    await worker.claim(1);
    await sandbox.ask("restore");
    const database = fill(home, plan.megabytes);
    await sandbox.ask("commit");

    const insert = database.prepare("INSERT INTO t VALUES (?)");
    const turn = (i: number) => {
      insert.run(randomBytes(2000).toString("hex"));
      appendFileSync(join(home, ".openclaw/workspace/MEMORY.md"), `turn ${i}\n`);
    };
    turn(0);
    await sandbox.ask("commit");
    const before = await worker.used();
    const commitMs: number[] = [];
    const cpu = sandbox.cpuMs();
    for (let i = 1; i <= plan.turns; i++) {
      turn(i);
      await sleep(BETWEEN_COMMITS_MS);
      commitMs.push(await sandbox.ask("commit"));
    }
    const turnCpuMs = (sandbox.cpuMs() - cpu) / plan.turns;
    const after = await worker.used();
    const idle = sandbox.cpuMs();
    for (let i = 0; i < plan.heartbeats; i++) {
      database.exec("UPDATE state_leases SET until = until + 1");
      await sandbox.ask("commit");
    }
    const heartbeatCpuMs = (sandbox.cpuMs() - idle) / plan.heartbeats;
    database.close();
    const committing = sandbox.peakBytes();
    await sandbox.end();

    const restored = await restore(plan, make, programs, worker, recipient);
    const byHand = unpackByHand(plan, make, home, identity, recipient);
    const per = (name: string) =>
      ((after.calls[name] ?? 0) - (before.calls[name] ?? 0)) / plan.turns;
    return {
      megabytes: plan.megabytes,
      ...{ commitMs, turnCpuMs, heartbeatCpuMs },
      bytes: (after.storedBytes - before.storedBytes) / plan.turns,
      writes: per("put"),
      operations: ["put", "get", "head", "list", "delete"].reduce((sum, one) => sum + per(one), 0),
      restoreMs: restored.ms,
      ...byHand,
      sandboxPeak: Math.max(committing, restored.peak),
    };
  } finally {
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Half of it does not compress. Stays open, as the gateway's does. */
export function fill(home: string, megabytes: number): DatabaseSync {
  mkdirSync(join(home, ".openclaw/state"), { recursive: true });
  mkdirSync(join(home, ".openclaw/workspace"), { recursive: true });
  writeFileSync(join(home, ".openclaw/workspace/MEMORY.md"), "");
  const database = new DatabaseSync(join(home, DATABASE));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE t (v BLOB)");
  database.exec("CREATE TABLE state_leases (scope TEXT, until INTEGER)");
  database.exec("INSERT INTO state_leases VALUES ('gateway-owner', 0)");
  const insert = database.prepare("INSERT INTO t VALUES (?)");
  for (let i = 0; i < megabytes * 2; i++) {
    insert.run(i % 2 === 0 ? randomBytes(BLOB) : Buffer.alloc(BLOB, i));
  }
  return database;
}

async function restore(
  plan: Plan,
  make: (name: string) => string,
  programs: SandboxPrograms,
  worker: BackupRuntime,
  recipient: string,
): Promise<{ ms: number[]; peak: number }> {
  const ms: number[] = [];
  let peak = 0;
  for (let i = 0; i < plan.restores; i++) {
    const target = make("restored");
    const sandbox = startSandboxProcess(programs, target, worker.origin, recipient);
    try {
      await worker.claim(2 + i);
      ms.push(await sandbox.ask("restore"));
      peak = Math.max(peak, sandbox.peakBytes());
    } finally {
      await sandbox.end();
      rmSync(target, { recursive: true });
    }
  }
  return { ms, peak };
}

function unpackByHand(
  plan: Plan,
  make: (name: string) => string,
  home: string,
  identity: string,
  recipient: string,
): Pick<Measured, "plainMs" | "byHandMs"> {
  const archive = join(make("by-hand"), "plain.tar.zst");
  const key = join(make("by-hand"), "key.txt");
  writeFileSync(key, `${identity}\n`);
  shell(`tar -c -C ${home} .openclaw | zstd -q -o ${archive}`);
  shell(`age -r ${recipient} -o ${archive}.age ${archive}`);
  const plainMs: number[] = [];
  const byHandMs: number[] = [];
  for (let i = 0; i < plan.restores; i++) {
    const [plain, opened] = [make("plain"), make("opened")];
    plainMs.push(shell(`zstd -dqc ${archive} | tar -x -C ${plain}`));
    rmSync(plain, { recursive: true });
    const unpacked = shell(`age -d -i ${key} ${archive}.age | zstd -dqc | tar -x -C ${opened}`);
    byHandMs.push(unpacked + integrityMs(join(opened, DATABASE)));
    rmSync(opened, { recursive: true });
  }
  return { plainMs, byHandMs };
}

function integrityMs(path: string): number {
  const began = performance.now();
  const database = new DatabaseSync(path);
  const said = database.prepare("PRAGMA integrity_check").get();
  database.close();
  if (said?.["integrity_check"] !== "ok") throw new Error(`${path}: ${JSON.stringify(said)}`);
  return performance.now() - began;
}
