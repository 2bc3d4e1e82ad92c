/** The line from a call in the Worker to the ledger in the Durable Object: with deadlines and repeats. */
import { DeadlineError, within } from "../deadline.ts";
import type { ModelCallContext, Reply } from "./call-context.ts";
import type { Settlement } from "./ledger/calls.ts";

const DEADLINE_MS = 5000;
const SETTLE_TRIES = 4;

type Asked<T> = { ok: true; value: T } | { ok: false; reply: Extract<Reply, { ok: false }> };

export class LedgerLine {
  readonly #context: Pick<ModelCallContext, "spend" | "waitUntil" | "log">;

  constructor(context: Pick<ModelCallContext, "spend" | "waitUntil" | "log">) {
    this.#context = context;
  }

  /** Without an answer there is no call. */
  async ask<T>(work: Promise<T>): Promise<Asked<T>> {
    try {
      return { ok: true, value: await within("the ledger", DEADLINE_MS, work) };
    } catch (error) {
      const cause = error instanceof DeadlineError ? error.message : String(error);
      return { ok: false, reply: { ok: false, failure: { reason: "ledger-unreachable", cause } } };
    }
  }

  settle(settlement: Settlement): void {
    this.#context.waitUntil(this.tell(settlement));
  }

  /** What the ledger never hears stays counted in full. */
  async tell(settlement: Settlement): Promise<void> {
    for (let tries = 1; tries <= SETTLE_TRIES; tries += 1) {
      try {
        await within("the ledger", DEADLINE_MS, this.#context.spend.settle(settlement));
        return;
      } catch (error) {
        this.#context.log?.warn("settling failed", { tries, error: String(error) });
        await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** tries));
      }
    }
  }
}
