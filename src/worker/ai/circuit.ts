/**
 * Which places are skipped for a while because they kept failing. In memory only: what is forgotten
 * is tried once more.
 */
const FAILURES = 3;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 300_000;

interface State {
  failures: number;
  /** Milliseconds since the epoch; at that moment one call may try again. */
  until: number;
}

export class Circuits {
  readonly #states = new Map<string, State>();

  note(place: string, trouble: boolean, now: number): void {
    if (!trouble) {
      this.#states.delete(place);
      return;
    }
    const failures = (this.#states.get(place)?.failures ?? 0) + 1;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - FAILURES));
    this.#states.set(place, { failures, until: failures < FAILURES ? 0 : now + pause });
  }

  skippedUntil(place: string, now: number): number | undefined {
    const until = this.#states.get(place)?.until ?? 0;
    return until > now ? until : undefined;
  }
}
