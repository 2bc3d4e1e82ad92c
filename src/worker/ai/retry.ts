/**
 * What follows a failed attempt. Pure.
 *
 * Elsewhere at once when there is another place; otherwise again, soon and not for long: whoever
 * waits for the agent waits for this too. See also `turn-refusals.ts`.
 */
export interface Attempted {
  status?: number;
  /** `unreachable`, `no-answer-in-time` and so on; absent when the provider answered. */
  reason?: string;
  headers?: Headers;
}

export type Step = { act: "answer" } | { act: "again"; waitMs: number } | { act: "elsewhere" };

export interface Situation {
  /** Attempts made at this place, the failed one included. */
  tries: number;
  placesLeft: number;
  /** Milliseconds spent waiting between attempts so far. */
  waited: number;
  /** Between 0 and 1. */
  jitter: number;
}

const MAX_TRIES = 3;
const MAX_WAITED_MS = 3000;
const BASE_WAIT_MS = 250;

/** The provider, not the request, is what failed. */
export function isTrouble({ status, reason }: Attempted): boolean {
  if (reason === "cancelled") return false;
  if (status === undefined) return reason !== undefined;
  return status === 408 || status === 429 || status >= 500;
}

export function nextStep(attempted: Attempted, situation: Situation, now: number): Step {
  if (!isTrouble(attempted)) return { act: "answer" };
  if (situation.placesLeft > 0) return { act: "elsewhere" };
  // Whoever took that long, or sends people elsewhere, does so again.
  if (attempted.reason === "no-answer-in-time" || attempted.reason === "redirected") {
    return { act: "answer" };
  }
  if (situation.tries >= MAX_TRIES || attempted.headers?.get("x-should-retry") === "false") {
    return { act: "answer" };
  }
  const asked = attempted.headers === undefined ? undefined : retryAfter(attempted.headers, now);
  const backoff = BASE_WAIT_MS * 2 ** (situation.tries - 1) * (1 + situation.jitter);
  const waitMs = Math.ceil(Math.max(asked ?? 0, backoff));
  if (situation.waited + waitMs > MAX_WAITED_MS) return { act: "answer" };
  return { act: "again", waitMs };
}

/** Milliseconds. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (ms >= 0) return ms;
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = Number(text);
  if (seconds >= 0) return seconds * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
