/**
 * When the gateway's next scheduled job is due, as it last said while it ran: kept outside the
 * sandbox, so that a sleeping agent is up in time. What the sandbox says is bounded: it can ask for
 * no more wakes in a day, and none sooner after another, than is allowed here.
 */
import * as z from "zod";

/**
 * How long before a job the start begins, from what starts took lately. A job that is overdue when
 * the gateway begins is put off by it for two minutes, so that late costs far more than early.
 */
const LEAD_MS = { least: 30_000, unknown: 60_000, most: 180_000, share: 1.5, more: 10_000 };
/** Between two wakes by a job; twice as long after each whose start did not get the gateway ready. */
const BETWEEN_WAKES_MS = { first: 60_000, most: 3_600_000 };
const WAKES_A_DAY = 96;
/** An agent is not put to sleep when it would have to be started again so soon after. */
const NOT_WORTH_MS = 60_000;
/** A job that has begun may take this long to show in what the gateway says. */
const BEGUN_MS = 90_000;
const DAY_MS = 86_400_000;
const SETTING = "due";

const stored = z.object({
  at: z.number().optional(),
  day: z.number(),
  /** Of that day. */
  wakes: z.number(),
  wokeAt: z.number().optional(),
  /** In a row, without a gateway that was ready. */
  inVain: z.number().optional(),
});
type Stored = z.infer<typeof stored>;

/** Where it is kept over a restart of the Durable Object. */
interface Notebook {
  setting(name: string): string | undefined;
  setSetting(name: string, value: string): void;
}

/** @param slowestStart of the last ones, in milliseconds; undefined before the first */
export function leadFor(slowestStart: number | undefined): number {
  const { least, unknown, most, share, more } = LEAD_MS;
  if (slowestStart === undefined) return unknown;
  return Math.min(most, Math.max(least, share * slowestStart + more));
}

export class DueRun {
  readonly #notebook: Notebook;
  readonly #slowestStart: () => number | undefined;
  #stored: Stored;

  constructor(notebook: Notebook, slowestStart: () => number | undefined) {
    this.#notebook = notebook;
    this.#slowestStart = slowestStart;
    const text = notebook.setting(SETTING);
    this.#stored = text === undefined ? { day: 0, wakes: 0 } : stored.parse(JSON.parse(text));
  }

  /** @param nextDue milliseconds since the epoch; null when no job is scheduled, undefined for unknown */
  observe(nextDue: number | null | undefined): void {
    if (nextDue === undefined || (nextDue ?? undefined) === this.#stored.at) return;
    const { at: _, ...rest } = this.#stored;
    this.#keep(nextDue === null ? rest : { ...rest, at: nextDue });
  }

  /** When an agent that sleeps has to be woken. */
  wakeAt(): number | undefined {
    const { at, day, wokeAt = 0, inVain = 0 } = this.#stored;
    if (at === undefined) return undefined;
    const { first, most } = BETWEEN_WAKES_MS;
    const between = Math.min(most, first * 2 ** Math.max(0, inVain - 1));
    const wanted = Math.max(at - leadFor(this.#slowestStart()), wokeAt + between);
    return this.#isSpent(wanted) ? (day + 1) * DAY_MS : wanted;
  }

  /** No more wakes on the day of that moment. */
  #isSpent(at: number): boolean {
    const { day, wakes } = this.#stored;
    return wakes >= WAKES_A_DAY && Math.floor(at / DAY_MS) === day;
  }

  /**
   * A job is about to run, or has begun and was not reported yet. Where no wake would be left for it, an
   * agent that is up waits for it.
   */
  isSoon(now: number): boolean {
    const { at } = this.#stored;
    if (at === undefined || now > at + BEGUN_MS) return false;
    const lead = leadFor(this.#slowestStart());
    return this.#isSpent(at - lead) || now > at - lead - NOT_WORTH_MS;
  }

  /** The agent was woken for a job. */
  woke(now: number): void {
    const today = Math.floor(now / DAY_MS);
    const { day, wakes, inVain = 0 } = this.#stored;
    const counted = day === today ? wakes + 1 : 1;
    this.#keep({ ...this.#stored, day: today, wakes: counted, wokeAt: now, inVain: inVain + 1 });
  }

  /** A gateway is ready, and sees to its jobs. */
  ready(): void {
    if ((this.#stored.inVain ?? 0) > 0) this.#keep({ ...this.#stored, inVain: 0 });
  }

  #keep(next: Stored): void {
    this.#stored = next;
    this.#notebook.setSetting(SETTING, JSON.stringify(next));
  }
}
