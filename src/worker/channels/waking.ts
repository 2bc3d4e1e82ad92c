/** Wakes the agent for what waits, and shows the people who wait for it that something happens. */
import type { ChannelId } from "../../protocol/channels.ts";
import type { Channel, Letter } from "./channel.ts";
import type { Letters } from "./store/letters.ts";

export interface WakingParts {
  letters: Letters;
  channels: ReadonlyMap<ChannelId, Channel>;
  /** The one shared start; resolves when it is over, whatever came of it. */
  wake(): Promise<unknown>;
  waitUntil(work: Promise<unknown>): void;
  /** That start is over. */
  woken(): void;
}

/** The platforms show "typing" for about five seconds. */
const SIGN_OF_LIFE_MS = 4_000;
/** Chats that are shown a sign of life at the same time. */
const MAX_SIGNS = 8;

export class Waking {
  readonly #parts: WakingParts;
  #waking: Promise<void> | undefined;

  constructor(parts: WakingParts) {
    this.#parts = parts;
  }

  /** Once at a time. */
  begin(): void {
    if (this.#waking !== undefined) return;
    this.#waking = this.#wake().finally(() => {
      this.#waking = undefined;
    });
    this.#parts.waitUntil(this.#waking);
  }

  async #wake(): Promise<void> {
    const sign = () => {
      const { letters, channels } = this.#parts;
      for (const letter of letters.waking(MAX_SIGNS, channels.keys())) this.#sign(letter);
    };
    sign();
    const signs = setInterval(sign, SIGN_OF_LIFE_MS);
    try {
      await this.#parts.wake();
    } finally {
      clearInterval(signs);
    }
    this.#parts.woken();
  }

  #sign(letter: Letter): void {
    const channel = this.#parts.channels.get(letter.channel);
    if (channel === undefined) return;
    this.#parts.waitUntil(channel.signOfLife(letter).catch(() => undefined));
  }
}
