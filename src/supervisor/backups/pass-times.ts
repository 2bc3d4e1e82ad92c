/**
 * How long until the next pass over the state. All times in milliseconds, stamps since the epoch: the
 * clock may be set back between two of them, and nothing waits for it to come there again.
 */

/** Changes that come together are kept together. */
const SETTLE_MS = 250;
/**
 * The safety net under the watches of the file system: this often, and rarer the more a pass costs. Without
 * one for five minutes the Worker raises an alert.
 */
const PERIOD_MS = { least: 60_000, most: 180_000, costs: 300 };
/** Where watches are not to be had. */
const UNWATCHED_MS = 2_000;
/** Between two passes at least this many times the last one's processor time: large states cost. */
const REST_FACTOR = 2;
const RETRY_MS = [1_000, 5_000, 15_000, 60_000] as const;

export class PassTimes {
  readonly #intervalMs: number;
  #beganAt = 0;
  #endedAt = 0;
  #failedAt = 0;
  #period = UNWATCHED_MS;
  #cost = 0;
  #pause = 0;

  /** @param intervalMs the least between the beginnings of two passes */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  began(now: number): void {
    this.#beganAt = now;
  }

  ended(now: number): void {
    this.#endedAt = now;
  }

  succeeded({ cpuMs, watching }: { cpuMs: number; watching: boolean }): void {
    this.#pause = 0;
    this.#cost = cpuMs;
    const { least, most, costs } = PERIOD_MS;
    this.#period = watching ? Math.min(most, Math.max(least, cpuMs * costs)) : UNWATCHED_MS;
  }

  /** @param failures in a row, this one included */
  failed(now: number, failures: number, retryAfterMs = 0): void {
    const pause = RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? 0;
    this.#failedAt = now;
    this.#pause = Math.max(pause, retryAfterMs);
  }

  /** @param dirtySince of the oldest change that is not kept; undefined when none is known */
  wait(now: number, dirtySince: number | undefined): number {
    this.#beganAt = Math.min(this.#beganAt, now);
    this.#endedAt = Math.min(this.#endedAt, now);
    this.#failedAt = Math.min(this.#failedAt, now);
    const wanted =
      dirtySince === undefined
        ? this.#endedAt + this.#period
        : Math.min(dirtySince, now) + SETTLE_MS;
    const next = Math.max(
      wanted,
      this.#beganAt + this.#intervalMs,
      this.#endedAt + this.#cost * REST_FACTOR,
      this.#failedAt + this.#pause,
    );
    return Math.max(0, next - now);
  }
}
