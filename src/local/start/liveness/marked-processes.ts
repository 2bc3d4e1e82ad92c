/** The processes that carry a mark in their environment: of all there are, only those started with it. */
import { randomUUID } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";

const NAME = "MOLTWORKER_RUNTIME";

export type Mark = Record<typeof NAME, string>;

/** What a process has to be started with, to be found again. */
export function newMark(): Mark {
  return { [NAME]: randomUUID() };
}

export async function markedProcesses(mark: Mark): Promise<number[]> {
  const wanted = `${NAME}=${mark[NAME]}`;
  const found: number[] = [];
  for (const entry of await readdir("/proc").catch(() => [])) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // Unreadable when it is gone in the meantime, or somebody else's.
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.split("\0").includes(wanted)) found.push(pid);
  }
  return found;
}

/** Ends them at once, also such as are stopped or hang; answers how many there were. */
export async function endMarked(mark: Mark): Promise<number> {
  const found = await markedProcesses(mark);
  for (const pid of found) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  return found.length;
}
