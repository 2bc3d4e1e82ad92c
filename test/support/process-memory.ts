/** Resident memory of a process at its highest, from /proc. */
import { readFileSync, writeFileSync } from "node:fs";

/** proc_pid_status(5): since it began, or since `forgetPeak`. */
export function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** proc_pid_clear_refs(5): the peak is what it has now. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
