import { expect, it, vi } from "vitest";
import type { DeliverRequest } from "../protocol/control.ts";
import { createAgain } from "./again.ts";

const request: DeliverRequest = { listener: "telegram", path: "/", headers: {}, body: "{}" };

function setUp() {
  const [taken, patience] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const release = vi.fn<() => void>();
  const given: (readonly DeliverRequest[])[] = [];
  const again = createAgain({
    again(lost) {
      given.push(lost);
      return taken.promise;
    },
    hold: () => release,
    wait: () => patience.promise,
  });
  return { again, given, taken, patience, release };
}

it.each(["taken", "patience"] as const)(
  "holds from a gateway's end until the next one has what was lost, or nobody waits any more: %s",
  async (which) => {
    const { again, given, release, ...ends } = setUp();
    again.ready([]);
    again.ended();
    again.ready([request]);
    await new Promise(setImmediate);
    expect(given).toEqual([[], [request]]);
    expect(release).not.toHaveBeenCalled();
    ends[which].resolve();
    await new Promise(setImmediate);
    expect(release).toHaveBeenCalledTimes(1);
  },
);
