/** The processes below one, as the kernel lists them. */
import { readFileSync, readdirSync } from "node:fs";

export interface TreeProcess {
  pid: number;
  parent: number;
  /** Arguments joined by blanks; a process may have set a title of its own instead. */
  command: string;
}

export function descendants(root: number): TreeProcess[] {
  const children = new Map<number, number[]>();
  for (const pid of pids()) {
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: TreeProcess[] = [];
  const below = (parent: number) => (children.get(parent) ?? []).map((pid) => ({ pid, parent }));
  const queue = below(root);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    found.push({ ...next, command: commandOf(next.pid) });
    queue.push(...below(next.pid));
  }
  return found;
}

/**
 * Ends every descendant that fits, at once and without warning, or sends it another signal; answers how
 * many there were.
 */
export function killDescendants(
  root: number,
  fits: (one: TreeProcess) => boolean,
  signal: NodeJS.Signals = "SIGKILL",
): number {
  const targets = descendants(root).filter(fits);
  for (const { pid } of targets) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
  return targets.length;
}

export function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined;
}

function pids(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0);
}

/** Undefined when the process is gone or only waits to be reaped. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
