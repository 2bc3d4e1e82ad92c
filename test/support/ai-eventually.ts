import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `holds` says yes; the deadline only keeps a failing test from hanging. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("it did not come about in time");
    await sleep(10);
  }
}
