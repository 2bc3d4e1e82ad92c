/** Starts what is down until it is up. */
import { setTimeout as sleep } from "node:timers/promises";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 30_000;

/**
 * Tries again and again, with a growing wait before each try, until one succeeds or the signal
 * ends it. A call while it is at it changes nothing.
 */
export function startAgain(attempt: () => Promise<void>, signal: AbortSignal): () => Promise<void> {
  let running: Promise<void> | undefined;
  async function run(): Promise<void> {
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        return await attempt();
      } catch {
        // Said by the runtime's own log; the next try comes later.
      }
    }
  }
  return () => (running ??= run().finally(() => (running = undefined)));
}
