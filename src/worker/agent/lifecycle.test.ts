import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { PHASES, type Phase } from "../../protocol/phase.ts";
import {
  advance,
  EVENTS,
  isLive,
  isStarting,
  type Life,
  type LifeEvent,
  next,
  STEADY_MS,
} from "./lifecycle.ts";

const fresh: Life = { phase: "stopped", since: 0, startGeneration: 0, failures: 0 };

describe("the table", () => {
  const moves: [Phase, (typeof EVENTS)[number], Phase][] = [
    ["stopped", "wanted", "starting"],
    ["starting", "answered", "restoring"],
    ["restoring", "restored", "booting"],
    ["booting", "gateway-ready", "ready"],
    ["ready", "drain", "draining"],
    ["draining", "gone", "stopped"],
    ["starting", "fault", "failed"],
    ["restoring", "fault", "failed"],
    ["booting", "fault", "failed"],
    ["ready", "fault", "failed"],
    ["failed", "wanted", "starting"],
    ["failed", "drain", "draining"],
    ["starting", "drain", "draining"],
    ["ready", "adopted-starting", "booting"],
    ["booting", "adopted-ready", "ready"],
    ["restoring", "adopted-ready", "ready"],
  ];
  it.each(moves)("moves %s by %s to %s", (from, event, to) => {
    expect(next(from, event)).toBe(to);
  });

  const ignored: [Phase, (typeof EVENTS)[number]][] = [
    ["ready", "wanted"],
    ["starting", "wanted"],
    ["booting", "wanted"],
    ["draining", "wanted"],
    ["draining", "gateway-ready"],
    ["stopped", "gateway-ready"],
    ["stopped", "fault"],
    ["failed", "fault"],
    ["failed", "gateway-ready"],
    ["starting", "gateway-ready"],
    ["starting", "adopted-ready"],
  ];
  it.each(ignored)("ignores in %s the event %s", (from, event) => {
    expect(next(from, event)).toBeUndefined();
  });
});

describe("failures", () => {
  const boom = { error: "boom", retry: [5_000, 15_000, 60_000, 300_000] };
  const booting: Life = { phase: "booting", since: 0, startGeneration: 1, failures: 0 };

  it.each([
    [0, 5_000],
    [1, 15_000],
    [2, 60_000],
    [3, 300_000],
    [40, 300_000],
  ])("after %i earlier ones the next try waits %i ms", (failures, delay) => {
    const life = advance({ ...booting, failures }, "fault", 1_000, boom);
    expect(life).toMatchObject({
      phase: "failed",
      failures: failures + 1,
      retryAt: 1_000 + delay,
      lastError: "boom",
    });
  });

  it("of a gateway that was ready are tried again at once, the first time", () => {
    const ready: Life = { ...booting, phase: "ready" };
    expect(advance(ready, "fault", 10, boom)?.retryAt).toBe(10);
    expect(advance({ ...ready, failures: 1 }, "fault", 10, boom)?.retryAt).toBe(15_010);
  });

  it("of a gateway that was ready for a minute begin a new row", () => {
    const ready: Life = { ...booting, phase: "ready", failures: 4 };
    const steady = advance(ready, "fault", STEADY_MS, boom);
    expect(steady).toMatchObject({ failures: 1, retryAt: STEADY_MS });
    expect(advance(ready, "fault", STEADY_MS - 1, boom)).toMatchObject({ failures: 5 });
  });

  it.each([
    [59_000, [0, 15_000, 60_000, 60_000, 60_000, 60_000]],
    [61_000, [0, 0, 0, 0, 0, 0]],
  ])("that come %i ms after each time it was ready wait %j ms", (readyForMs, expected) => {
    let [life, now] = [fresh, 0];
    const on = (event: LifeEvent, after: number) => {
      now += after;
      life = advance(life, event, now, boom) ?? life;
    };
    const waits = expected.map(() => {
      for (const event of ["wanted", "answered", "restored", "gateway-ready"] as const) {
        on(event, 5_000);
      }
      on("fault", readyForMs);
      return (life.retryAt ?? 0) - now;
    });
    expect(waits).toEqual(expected);
  });

  it("of starts in between keep their long wait", () => {
    const life = advance({ ...booting, failures: 4 }, "fault", 1_000, boom);
    expect(life?.retryAt).toBe(301_000);
  });

  it("that are nobody's fault are tried again at once, the first time", () => {
    const interrupted = { ...boom, blameless: true };
    expect(advance(booting, "fault", 10, interrupted)?.retryAt).toBe(10);
    expect(advance({ ...booting, failures: 1 }, "fault", 10, interrupted)?.retryAt).toBe(15_010);
  });

  it("keep their error through the next start and lose it when the gateway is ready", () => {
    const failed = advance(booting, "fault", 1, boom);
    const starting = failed && advance(failed, "wanted", 2);
    expect(starting).toMatchObject({ phase: "starting", lastError: "boom", startGeneration: 2 });
    expect(starting?.retryAt).toBeUndefined();
    const ready = advance({ ...booting, lastError: "boom" }, "gateway-ready", 3);
    expect(ready?.lastError).toBeUndefined();
  });
});

/** What is wrong with a move, in words; empty when nothing is. */
function faults(life: Life, event: LifeEvent, after: Life): string[] {
  const from = life.phase;
  const checks: [boolean, string][] = [
    [PHASES.includes(after.phase), "a phase nobody knows"],
    [
      after.startGeneration - life.startGeneration === (event === "wanted" ? 1 : 0),
      "a generation that is not one start",
    ],
    [(after.retryAt !== undefined) === (after.phase === "failed"), "a retry without a failure"],
    [event !== "wanted" || !isLive(from), "a second start of a live agent"],
    [
      after.phase !== "ready" || ["ready", "restoring", "booting"].includes(from),
      "ready without a boot",
    ],
    [!isStarting(after.phase) || isLive(after.phase), "a start that is not alive"],
  ];
  return checks.filter(([fine]) => !fine).map(([, text]) => `${event}: ${text}`);
}

it("holds its invariants whatever arrives in whatever order", () => {
  assert(
    property(array(constantFrom(...EVENTS), { maxLength: 200 }), (events) => {
      let life = fresh;
      const wrong: string[] = [];
      for (const [index, event] of events.entries()) {
        const after = advance(life, event, index * 1_000) ?? life;
        if (after !== life) wrong.push(...faults(life, event, after));
        life = after;
      }
      expect(wrong).toEqual([]);
    }),
  );
});
