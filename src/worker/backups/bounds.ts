/**
 * How much one sandbox may append: so much at once, and so much an hour beyond that. Fails closed: what
 * does not fit is refused, and the refusal says when it will. Pure.
 *
 * A level that drains, not a count that begins anew each hour: whoever has used up everything waits for
 * room for one more, seconds instead of the rest of the hour, so that a busy agent goes on being kept.
 */
import * as z from "zod";

const HOUR = 3_600_000;

export interface Bounds {
  atOnce: Amount;
  perHour: Amount;
}

export interface Amount {
  bytes: number;
  commits: number;
}

export const DEFAULT_BOUNDS: Bounds = {
  // An hour of a commit a second; after that one in five seconds.
  atOnce: { bytes: 8 * 1024 ** 3, commits: 3600 },
  perHour: { bytes: 8 * 1024 ** 3, commits: 720 },
};

/** The level at `since`, in milliseconds since the epoch. */
export const usage = z.object({ since: z.number(), bytes: z.number(), commits: z.number() });
export type Usage = z.infer<typeof usage>;

export type Admission = { ok: true; usage: Usage } | { ok: false; retryAfterMs: number };

export function admit(
  used: Usage | undefined,
  more: Amount,
  { atOnce, perHour }: Bounds,
  now: number,
): Admission {
  const hours = used === undefined ? 0 : Math.max(0, now - used.since) / HOUR;
  const level = (kind: keyof Amount) =>
    Math.max(0, (used?.[kind] ?? 0) - perHour[kind] * hours) + more[kind];
  const next = { bytes: level("bytes"), commits: level("commits") };
  const over = (kind: keyof Amount) => (next[kind] - atOnce[kind]) / perHour[kind];
  const hoursToWait = Math.max(over("bytes"), over("commits"));
  if (hoursToWait > 0) return { ok: false, retryAfterMs: Math.ceil(hoursToWait * HOUR) };
  return { ok: true, usage: { since: now, ...next } };
}
