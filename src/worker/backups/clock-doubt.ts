/**
 * Whether the clock may decide what is too old. One that is wrong by years would have a whole history deleted
 * in a moment; so one that jumped is believed only after it went on from there for a while. An agent that
 * slept for months keeps everything that long, and loses nothing by it. Pure.
 */
import type { PruningNotes } from "./pruning-notes.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Between two looks; one is taken every hour while the Worker runs. */
const MOST_BETWEEN_LOOKS = 30 * DAY;
const BELIEVED_AFTER = HOUR;

type Noted = Pick<PruningNotes, "believedAt" | "doubtedAt">;

/**
 * @param former when it was last believed, or any time that something is known to have happened at
 * @param doubtedAt since when it has not been
 */
export function lookAtClock(
  now: number,
  former: number,
  doubtedAt: number | undefined,
): { believed: boolean; noted: Noted } {
  const isBelieved = { believed: true, noted: { believedAt: now, doubtedAt: undefined } };
  if (Math.abs(now - former) <= MOST_BETWEEN_LOOKS) return isBelieved;
  const since = now - (doubtedAt ?? now);
  // Jumped once more: from there it has to go on again.
  const jumpedAgain = since < 0 || since > MOST_BETWEEN_LOOKS;
  if (!jumpedAgain && since >= BELIEVED_AFTER) return isBelieved;
  return {
    believed: false,
    noted: { doubtedAt: jumpedAgain ? now : (doubtedAt ?? now) },
  };
}
