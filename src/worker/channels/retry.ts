/** When a letter that was not taken is tried again, and when it is given up. Pure. */
import type { Verdict } from "./channel.ts";

/** Waits after the first, second, … failure in a row, in milliseconds. */
const WAITS_MS = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000] as const;
/** The gateway was ready each time: a letter it refuses, and one it could not take. */
const MAX_REFUSALS = 3;
const MAX_TRIES = 15;

export type Outcome = { act: "again"; afterMs: number } | { act: "bury" };

/** @param tries before this one */
export function afterFailure(
  tries: number,
  verdict: Exclude<Verdict["kind"], "accepted">,
): Outcome {
  const bound = verdict === "refused" ? MAX_REFUSALS : MAX_TRIES;
  if (tries + 1 >= bound) return { act: "bury" };
  return { act: "again", afterMs: WAITS_MS[Math.min(tries, WAITS_MS.length - 1)] ?? 0 };
}
