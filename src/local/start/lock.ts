/**
 * One start per state folder. Fails closed: when it cannot tell whether the holder lives, it counts
 * as alive. The file names the holder's process and its start time, because process ids are reused.
 */
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
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
    const holder = await readHolder(file);
    if (holder !== undefined && isAlive(holder)) {
      await rm(whole, { force: true });
      return { ok: false, holder };
    }
    left = holder ?? left;
    await rm(file, { force: true });
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

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return holderFile.parse(JSON.parse(await readFile(file, "utf8")));
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
