/**
 * One start per state folder. Fails closed: when it cannot tell whether the holder lives, it counts
 * as alive. The file names the holder's process and its start time, because process ids are reused.
 */
import { rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";

const holderFile = z.object({
  pid: z.number().int().positive(),
  /** From /proc; absent where there is none. */
  startedAt: z.string().optional(),
  url: z.string().optional(),
});
export type Holder = z.infer<typeof holderFile>;

export interface Lock {
  /** Tells whoever finds the folder taken where the running one answers. */
  publish(url: string): Promise<void>;
  release(): void;
}

export type Taken =
  | { ok: true; lock: Lock; left?: Holder }
  /** `holder`: absent when it could not even be looked. */
  | { ok: false; reason: string; holder?: Holder };

/** What other starts may take to look, each for a moment. */
const TURN_MS = 5_000;

export async function takeLock(dir: string): Promise<Taken> {
  const file = path.join(dir, "lock.json");
  const startedAt = processStart(process.pid);
  const mine: Holder = { pid: process.pid, ...(startedAt === undefined ? {} : { startedAt }) };
  const whole = `${file}.${process.pid}.${randomUUID()}`;
  await writeFile(whole, JSON.stringify(mine), { mode: 0o600 });
  const turn = new DatabaseSync(path.join(dir, "lock.turn"), { timeout: TURN_MS });
  try {
    if (!begun(turn)) {
      const reason = `whether another moltworker uses ${dir} could not be seen within ${TURN_MS / 1000} s: try again`;
      return { ok: false, reason };
    }
    const left = holderIn(readText(file));
    if (left !== undefined && isAlive(left)) {
      const where = left.url === undefined ? "" : `, at ${left.url}`;
      const reason = `already running on ${dir}: process ${left.pid}${where}`;
      return { ok: false, reason, holder: left };
    }
    // Whole, and in the place of what a dead start left: whoever takes the lock knows of that start.
    renameSync(whole, file);
    return { ok: true, lock: lockOn(file, mine), ...(left === undefined ? {} : { left }) };
  } finally {
    turn.close();
    await rm(whole, { force: true });
  }
}

/**
 * One start at a time looks and takes: of two that had both read a dead one's lock, the later would
 * replace what the first had put there. The system itself lets SQLite's lock go with the process, so
 * that this one is never left behind.
 */
function begun(turn: DatabaseSync): boolean {
  try {
    turn.exec("BEGIN IMMEDIATE");
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("locked")) return false;
    throw error;
  }
}

function lockOn(file: string, mine: Holder): Lock {
  return {
    async publish(url) {
      const fresh = `${file}.new`;
      await writeFile(fresh, JSON.stringify({ ...mine, url }), { mode: 0o600 });
      await rename(fresh, file);
    },
    release() {
      rmSync(file, { force: true });
    },
  };
}

/** Undefined when there is none. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function holderIn(text: string | undefined): Holder | undefined {
  if (text === undefined) return undefined;
  try {
    return holderFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  const now = readProcess(holder.pid);
  if (now === undefined) return true;
  if (ENDED.has(now.state)) return false;
  return holder.startedAt === undefined || now.startedAt === holder.startedAt;
}

/** Ended, although the system has not taken its number back yet. */
const ENDED: ReadonlySet<string> = new Set(["Z", "X"]);

export function processStart(pid: number): string | undefined {
  return readProcess(pid)?.startedAt;
}

/** Fields 3 and 22 of /proc/<pid>/stat (proc(5)); the start is in clock ticks after boot. */
function readProcess(pid: number): { state: string; startedAt: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", startedAt: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}
