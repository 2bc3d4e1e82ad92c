/**
 * From a gateway's end until the next one has again what the first had lost: nothing that it took last counts as kept
 * meanwhile, so that a sandbox that is lost in this time costs none of it.
 */
import type { DeliverRequest } from "../protocol/control.ts";
import type { Marks } from "./marks.ts";

/** One message that the gateway does not take again must not hold up all that come after it. */
const PATIENCE_MS = 120_000;

export interface Again {
  /** The gateway ended. */
  ended(): void;
  /** It is ready, and lacks this. */
  ready(lost: readonly DeliverRequest[]): void;
}

export function createAgain(parts: {
  /** Hands over again what the gateway lost. Resolves when nothing of this and of earlier calls is left; never rejects. */
  again(lost: readonly DeliverRequest[]): Promise<unknown>;
  hold: Marks["hold"];
  wait(ms: number): Promise<unknown>;
}): Again {
  let release: (() => void) | undefined;

  async function letGo(hold: () => void, through: Promise<unknown>): Promise<void> {
    await Promise.race([through, parts.wait(PATIENCE_MS)]);
    hold();
  }

  return {
    ended() {
      release = parts.hold();
    },
    ready(lost) {
      const hold = release;
      const through = parts.again(lost);
      if (hold !== undefined) void letGo(hold, through);
    },
  };
}
