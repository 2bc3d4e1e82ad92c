/** Processor time and children of processes, from /proc. */
import { readFileSync, readdirSync } from "node:fs";

/** Linux counts processor time for programs in hundredths of a second on every machine. */
const TICKS_A_SECOND = 100;

interface Row {
  pid: number;
  parent: number;
  /** Own time and that of children that ended. */
  ticks: number;
  command: string;
}

/** Seconds that a process, all below it and all that ended below it have used. */
export function treeCpuSeconds(root: number): number {
  const ticks = tree(root).reduce((sum, row) => sum + row.ticks, 0);
  return ticks / TICKS_A_SECOND;
}

/** The same of one process alone and of its children that ended. */
export function ownCpuSeconds(pid: number): number {
  return (readRow(pid)?.ticks ?? 0) / TICKS_A_SECOND;
}

/** Resident memory of one process, in bytes; 0 when it has ended. */
export function residentBytes(pid: number): number {
  try {
    // proc_pid_status(5), in KiB.
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The first process below `root` whose command line fits. */
export function findBelow(root: number, fits: (command: string) => boolean): number | undefined {
  return tree(root).find((row) => fits(row.command))?.pid;
}

function tree(root: number): Row[] {
  const rows = readdirSync("/proc").flatMap((name) => {
    const row = /^\d+$/.test(name) ? readRow(Number(name)) : undefined;
    return row === undefined ? [] : [row];
  });
  const found = new Set([root]);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const row of rows) if (found.has(row.parent)) found.add(row.pid);
  }
  return rows.filter((row) => found.has(row.pid));
}

/** Undefined when it has ended meanwhile. */
function readRow(pid: number): Row | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc_pid_stat(5): the name in parentheses may hold anything; fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [parent = 0, user = 0, system = 0, childUser = 0, childSystem = 0] = [
      1, 11, 12, 13, 14,
    ].map((index) => Number(fields[index]));
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return { pid, parent, ticks: user + system + childUser + childSystem, command };
  } catch {
    return undefined;
  }
}
