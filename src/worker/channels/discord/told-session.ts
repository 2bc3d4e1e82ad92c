/**
 * What the agent's plugin knows as its session: every event has a sequence number, and the latest are kept for
 * a plugin that comes back and says up to which one it has heard.
 */
import { OP } from "./protocol.ts";

/** What a client that comes back is told again. */
const MAX_KEPT = 500;
const MAX_KEPT_CHARS = 4 * 1024 ** 2;

export class ToldSession {
  readonly id = crypto.randomUUID().replaceAll("-", "");
  #seq = 0;
  readonly #kept: { seq: number; text: string }[] = [];
  #keptChars = 0;

  /** @returns the event's sequence number, and the frame that tells it */
  add(type: string, data: unknown): { seq: number; text: string } {
    this.#seq += 1;
    const text = JSON.stringify({ op: OP.dispatch, t: type, s: this.#seq, d: data });
    const event = { seq: this.#seq, text };
    this.#kept.push(event);
    this.#keptChars += text.length;
    while (
      this.#kept.length > MAX_KEPT ||
      (this.#keptChars > MAX_KEPT_CHARS && this.#kept.length > 1)
    ) {
      this.#keptChars -= this.#kept.shift()?.text.length ?? 0;
    }
    return event;
  }

  /** The frames after `seq`; undefined when they are not all kept, or it was never told that far. */
  since(seq: number): string[] | undefined {
    const oldest = this.#kept[0]?.seq ?? 0;
    if (seq > this.#seq || seq < oldest - 1) return undefined;
    return this.#kept.filter((each) => each.seq > seq).map(({ text }) => text);
  }
}
