/**
 * Hands waiting letters to a gateway that is ready: in order for each channel, one at a time. A
 * channel whose gateway side is in trouble holds up nobody else's.
 */
import type { ChannelId } from "../../protocol/channels.ts";
import type { Channel, Letter, Verdict } from "./channel.ts";
import { afterFailure } from "./retry.ts";
import type { Letters } from "./store/letters.ts";

export interface DeliveriesParts {
  letters: Letters;
  channels: ReadonlyMap<ChannelId, Channel>;
  /** The start whose gateway is ready; undefined while none is, or while it is started again. */
  takingStart(): number | undefined;
  /** Learns whether it still is. */
  look(): Promise<void>;
  /** A mark after everything the gateway has on its disk by now. */
  mark(): Promise<number | undefined>;
  now(): number;
  /** Keeps the Durable Object up. */
  waitUntil(work: Promise<unknown>): void;
  /** A letter was handed over, put off or given up. */
  moved(letter: Letter, outcome: "given" | "again" | "dead", reason?: string): void;
}

const NO_MARK = "The supervisor could not say what is kept.";

export class Deliveries {
  readonly #parts: DeliveriesParts;
  readonly #running = new Set<ChannelId>();
  readonly #timers = new Map<ChannelId, ReturnType<typeof setTimeout>>();

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
  }

  /** Something may be deliverable. */
  kick(): void {
    for (const channel of this.#parts.channels.values()) {
      if (this.#running.has(channel.id)) continue;
      this.#running.add(channel.id);
      this.#parts.waitUntil(this.#run(channel).finally(() => this.#running.delete(channel.id)));
    }
  }

  async #run(channel: Channel): Promise<void> {
    const { letters, now, takingStart } = this.#parts;
    for (;;) {
      const start = takingStart();
      if (start === undefined) return;
      letters.takeBack(start, now());
      const head = letters.head(channel.id);
      if (head === undefined) return;
      if (head.nextAt > now()) return this.#later(channel, head.nextAt - now());
      await this.#attempt(channel, head, start);
    }
  }

  async #attempt(channel: Channel, letter: Letter, start: number): Promise<void> {
    const { letters, look, moved, now, takingStart } = this.#parts;
    const verdict = await channel
      .deliver(letter)
      .catch((error: unknown): Verdict => ({ kind: "later", reason: String(error) }));
    if (verdict.kind === "accepted") {
      const mark = await this.#parts.mark();
      if (mark !== undefined) {
        letters.given(letter.n, start, mark);
        return moved(letter, "given");
      }
    }
    // A gateway that went away meanwhile says nothing about the letter.
    await look();
    if (takingStart() !== start) return;
    const { kind, reason } =
      verdict.kind === "accepted" ? ({ kind: "later", reason: NO_MARK } as const) : verdict;
    const outcome = afterFailure(letter.tries, kind);
    if (outcome.act === "bury") {
      letters.bury(letter.n, reason);
      return moved(letter, "dead", reason);
    }
    letters.failed(letter.n, reason, now() + outcome.afterMs);
    moved(letter, "again", reason);
  }

  #later({ id }: Channel, ms: number): void {
    clearTimeout(this.#timers.get(id) ?? null);
    this.#timers.set(
      id,
      setTimeout(() => this.kick(), ms),
    );
  }
}
