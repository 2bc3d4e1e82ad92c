import type { ProcessInfo } from "../protocol/control.ts";
import { readProcess, readProcessTable } from "./isolation/process-table.ts";

const MAX_PROCESSES = 1_000;

/** What runs in the sandbox. Never with arguments: they may hold what nobody else should read. */
export function listProcesses(): ProcessInfo[] {
  return readProcessTable()
    .slice(0, MAX_PROCESSES)
    .map(({ pid, name, rss, cpuSeconds }) => ({ pid, name, rss, cpuSeconds }));
}

export function memoryOf(pid: number | undefined): number | undefined {
  return pid === undefined ? undefined : readProcess(pid)?.rss;
}
