import type { Duplex } from "node:stream";

/**
 * Joins two streams, both ways, until both have ended. One side's end is passed on as an end, so a
 * peer that has finished sending can still receive; one side's failure destroys the other.
 */
export function relay(a: Duplex, b: Duplex): void {
  const fail = (): void => {
    a.destroy();
    b.destroy();
  };
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.on("error", fail);
    from.once("close", () => {
      // A close without an end is a reset: nothing more will come, so nothing is owed.
      if (!from.readableEnded) to.destroy();
    });
    from.pipe(to);
  }
}
