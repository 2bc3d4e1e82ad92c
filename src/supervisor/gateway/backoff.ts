/** Delays before the gateway is started again, by how often it failed in a row. */
const DELAYS_MS = [500, 2_000, 10_000, 30_000, 60_000] as const;

/** A gateway that ran this long was healthy: its next crash starts at the first delay again. */
export const HEALTHY_MS = 5 * 60_000;

/**
 * How often the gateway has failed in a row, after one more exit. The gateway's own breaker (three
 * unclean boots in five minutes) is neutralised before each boot, so these may be short.
 */
export function failuresAfter(failures: number, readyForMs: number): number {
  return readyForMs >= HEALTHY_MS ? 1 : failures + 1;
}

export function backoffMs(failures: number): number {
  const index = Math.min(Math.max(failures, 1), DELAYS_MS.length) - 1;
  return DELAYS_MS[index] ?? DELAYS_MS[DELAYS_MS.length - 1] ?? 60_000;
}
