/** Sees to the connections of all channels, and says when the next one wants to be seen to. */
import type { Channel } from "./channel.ts";
import type { ChannelsParts } from "./parts.ts";

/** A platform is asked for half of that at most. */
const AGAIN_MS = 60_000;

type Tended = Pick<Channel, "tend">;

export class Tending {
  readonly #channels: readonly Tended[];
  readonly #parts: Pick<ChannelsParts, "now" | "changed">;
  #running: Promise<void> | undefined;
  /** In milliseconds since the epoch; undefined for never. */
  at: number | undefined;

  constructor(channels: readonly Tended[], parts: Pick<ChannelsParts, "now" | "changed">) {
    this.#channels = channels;
    this.#parts = parts;
    this.at = channels.length === 0 ? undefined : parts.now();
  }

  /** One at a time; whoever asks meanwhile waits for the same. */
  now(): Promise<void> {
    // Until it is over, and in case it never is.
    this.at = this.#parts.now() + AGAIN_MS;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { now, changed } = this.#parts;
    const waits = await Promise.all(this.#channels.map((each) => each.tend()));
    const due = waits.filter((wait) => wait !== undefined);
    this.at = due.length === 0 ? undefined : now() + Math.min(...due);
    changed();
  }
}
