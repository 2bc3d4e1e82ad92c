/**
 * Counts refused hosts and hands the sums on at most every few seconds: a program in the sandbox
 * that tries in a loop must not become as many writes.
 */
const FLUSH_MS = 3000;
const MAX_HOSTS = 64;
const MAX_HOST_LENGTH = 253;

export interface RefusalCounter {
  /** @returns true when nothing is waiting yet: the caller then waits `flushMs` and flushes. */
  count(host: string): boolean;
  take(): [host: string, times: number][];
  readonly flushMs: number;
}

/** Hosts beyond the bound within one round are summed under one name. */
export const OTHER_HOSTS = "(other hosts)";

export function createRefusalCounter(): RefusalCounter {
  const sums = new Map<string, number>();
  return {
    flushMs: FLUSH_MS,
    count(host) {
      const first = sums.size === 0;
      const name = host.slice(0, MAX_HOST_LENGTH);
      const key = sums.has(name) || sums.size < MAX_HOSTS ? name : OTHER_HOSTS;
      sums.set(key, (sums.get(key) ?? 0) + 1);
      return first;
    },
    take() {
      const taken = [...sums];
      sums.clear();
      return taken;
    },
  };
}
