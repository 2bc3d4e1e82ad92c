/**
 * One start per state folder. Fails closed: when it cannot tell whether the holder lives, it counts
 * as alive. The file names the holder's process and its start time, because process ids are reused.
 */
import { link, rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
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

export type Taken = { ok: true; lock: Lock; left?: Holder } | { ok: false; holder: Holder };

/** What another start may take to look at a dead lock. */
const TURN_MS = 5_000;

export async function takeLock(dir: string): Promise<Taken> {
  const file = path.join(dir, "lock.json");
  const startedAt = processStart(process.pid);
  const mine: Holder = { pid: process.pid, ...(startedAt === undefined ? {} : { startedAt }) };
  const whole = `${file}.${process.pid}.${randomUUID()}`;
  await writeFile(whole, JSON.stringify(mine), { mode: 0o600 });
  let left: Holder | undefined;
  for (;;) {
    try {
      // Linked into place whole, so that nobody ever reads a lock that names no holder yet.
      await link(whole, file);
      await rm(whole, { force: true });
      return { ok: true, lock: lockOn(file, mine), ...(left === undefined ? {} : { left }) };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const found = clearDead(dir, file);
    if (found.alive) {
      await rm(whole, { force: true });
      return { ok: false, holder: found.holder };
    }
    left = found.holder ?? left;
  }
}

type Found = { alive: true; holder: Holder } | { alive: false; holder: Holder | undefined };

/**
 * Removes the lock of a holder that is dead. One start at a time looks and removes: of two that had both
 * read a dead one, the later would remove what the first had put in its place. The system itself lets
 * SQLite's lock go with the process, so that this one is never left behind.
 */
function clearDead(dir: string, file: string): Found {
  const turn = new DatabaseSync(path.join(dir, "lock.turn"), { timeout: TURN_MS });
  try {
    turn.exec("BEGIN IMMEDIATE");
    const text = readText(file);
    // Somebody who does not wait for a turn may put one there by now.
    if (text === undefined) return { alive: false, holder: undefined };
    const holder = holderIn(text);
    if (holder !== undefined && isAlive(holder)) return { alive: true, holder };
    rmSync(file, { force: true });
    return { alive: false, holder };
  } finally {
    turn.close();
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

function holderIn(text: string): Holder | undefined {
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
