/**
 * Ends what outlived a start that was killed: its runtime would still hold the ports, and its
 * sandbox would write to the same home as the next one.
 */
import { readFile, readdir, readlink } from "node:fs/promises";
import path from "node:path";

const OURS = /^(workerd|bwrap)/;

/**
 * A start leads its own process group, so what it left behind is known by the group's number. When
 * that number belongs to a living process again, the group is somebody else's and is left alone.
 */
export async function endLeftovers(group: number): Promise<number> {
  if ((await groupOf(group)) !== undefined) return 0;
  let ended = 0;
  for (const entry of await readdir("/proc").catch(() => [])) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || (await groupOf(pid)) !== group) continue;
    try {
      if (!OURS.test(path.basename(await readlink(`/proc/${pid}/exe`)))) continue;
      process.kill(pid, "SIGKILL");
      ended += 1;
    } catch {
      // Gone in the meantime, or not ours.
    }
  }
  return ended;
}

/** The process group of a process that runs (proc(5), fields 3 and 5). */
async function groupOf(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : Number(group);
  } catch {
    return undefined;
  }
}
