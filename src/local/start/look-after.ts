/** What the schedule does on Cloudflare; the local runtime has no clock of its own for it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Operator } from "./operator-client.ts";

const EVERY_MS = 5 * 60_000;
const DEADLINE_MS = 60_000;

export async function lookAfterAgent(operator: Operator, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    // Unanswered while the runtime is restarting: the next round asks again.
    if (!signal.aborted) await operator.call("lookAfter", DEADLINE_MS);
  }
}
