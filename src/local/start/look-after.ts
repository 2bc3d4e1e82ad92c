/** What the schedule does on Cloudflare; the local runtime has no clock of its own for it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Operator } from "./operator-client.ts";

const EVERY_MS = 5 * 60_000;
const DEADLINE_MS = 60_000;

export async function lookAfterAgent(
  operator: Pick<Operator, "call">,
  signal: AbortSignal,
  wait: (ms: number, signal: AbortSignal) => Promise<void> = pause,
): Promise<void> {
  while (!signal.aborted) {
    await wait(EVERY_MS, signal);
    // Unanswered while the runtime is restarting: the next round asks again.
    if (!signal.aborted) await operator.call("lookAfter", DEADLINE_MS);
  }
}

/** Ends early, and well, when the signal comes. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined);
}
