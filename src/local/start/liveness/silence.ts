/**
 * When a runtime that gives no answer is to be helped. Times are monotonic milliseconds; what the
 * machine was asleep for is not in them, what only this process was stopped for shows as a gap.
 */

export interface LookTimes {
  /** From the end of one look to the begin of the next. */
  everyMs: number;
  /** How long one look waits for its answer: a busy machine takes seconds. */
  answerMs: number;
  /** Without any answer for so long, the runtime is helped; each time in vain doubles it. */
  silentMs: number;
  /** The same while a start is under way. */
  startMs: number;
}

/**
 * What a look came to: `starting` when something of ours runs and does not take connections yet,
 * `paused` when it is being started or loaded on purpose.
 */
export interface Look {
  from: number;
  to: number;
  result: "answered" | "unanswered" | "starting" | "paused";
}

export interface Silence {
  /** The first look of its kind without an answer, and the kind: a start that comes to its end is a new silence. */
  since: { from: number; starting: boolean } | undefined;
  /** End of the newest look. */
  looked: number;
  /** How often it was helped since the last answer. */
  helped: number;
}

export interface Judged {
  silence: Silence;
  /** How long there was no answer, when something has to be done about it. */
  silentMs: number | undefined;
}

/** By how much a timer may be late before it says that this process itself stood still. */
const LATE_MS = 3_000;
const LONGEST_MS = 300_000;

export function noSilence(now: number): Silence {
  return { since: undefined, looked: now, helped: 0 };
}

export function judge(silence: Silence, look: Look, times: LookTimes): Judged {
  const quiet = { ...silence, looked: look.to, since: undefined };
  if (look.result === "answered") return nothing({ ...quiet, helped: 0 });
  if (look.result === "paused" || stoodStill(silence, look, times)) return nothing(quiet);
  const starting = look.result === "starting";
  const since =
    silence.since?.starting === starting ? silence.since : { from: look.from, starting };
  const silentMs = look.to - since.from;
  const wait = patience(starting ? times.startMs : times.silentMs, silence.helped);
  if (silentMs < wait) return nothing({ ...quiet, since });
  return { silence: { ...quiet, helped: silence.helped + 1 }, silentMs };
}

export function patience(firstMs: number, helped: number): number {
  return Math.max(firstMs, Math.min(firstMs * 2 ** helped, LONGEST_MS));
}

/** An answer may lie there unread, so such a look says nothing of the runtime. */
function stoodStill(silence: Silence, look: Look, { everyMs, answerMs }: LookTimes): boolean {
  const asleep = look.from - silence.looked > everyMs + LATE_MS;
  return asleep || look.to - look.from > answerMs + LATE_MS;
}

function nothing(silence: Silence): Judged {
  return { silence, silentMs: undefined };
}
