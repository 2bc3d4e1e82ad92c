import { setTimeout as sleep } from "node:timers/promises";

/** With 50 ms between them: a minute, since a busy machine takes its time. */
const TRIES = 1200;

/** Looks until there is something to see; undefined when there never was. */
export async function withinAMinute<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await sleep(50);
  }
  return undefined;
}
