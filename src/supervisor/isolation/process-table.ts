import { readFileSync, readdirSync } from "node:fs";

/** One row of /proc, without arguments and environment. */
export interface ProcessRow {
  pid: number;
  parent: number;
  name: string;
  /** One letter; `Z` is a zombie. */
  state: string;
  /** Start time in clock ticks since boot: with the pid it names one process for good. */
  startTicks: number;
  cpuSeconds: number;
  rss: number;
}

const TICKS_A_SECOND = 100;
const PAGE_BYTES = 4096;

/** Reads /proc. Empty where there is none. */
export function readProcessTable(): ProcessRow[] {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((row) => row !== undefined);
}

export function readProcess(pid: number): ProcessRow | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  return parseStat(text);
}

/** proc_pid_stat(5). The name is in parentheses and may itself contain spaces and parentheses. */
export function parseStat(text: string): ProcessRow | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3] ?? Number.NaN);
  const row: ProcessRow = {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    state: fields[0] ?? "",
    parent: field(4),
    cpuSeconds: (field(14) + field(15)) / TICKS_A_SECOND,
    startTicks: field(22),
    rss: field(24) * PAGE_BYTES,
  };
  return Number.isNaN(row.pid + row.parent + row.startTicks + row.rss) ? undefined : row;
}
