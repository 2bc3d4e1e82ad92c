import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge, noSilence, patience } from "./silence.ts";
import type { Look, Silence } from "./silence.ts";

const TIMES = { everyMs: 5_000, answerMs: 10_000, silentMs: 30_000, startMs: 90_000 };

type Step = { after?: number; took?: number; result?: Look["result"] };

/** Looks one after the other; answers after how long a silence it was helped, each time. */
function run(steps: readonly Step[]): { helps: number[]; silence: Silence } {
  let silence = noSilence(0);
  const helps: number[] = [];
  for (const { after = TIMES.everyMs, took = TIMES.answerMs, result = "unanswered" } of steps) {
    const from = silence.looked + after;
    const judged = judge(silence, { from, to: from + took, result }, TIMES);
    silence = judged.silence;
    if (judged.silentMs !== undefined) helps.push(judged.silentMs);
  }
  return { helps, silence };
}

const times = (n: number, step: Step): Step[] => Array.from({ length: n }, () => step);
const refused = (n: number) => times(n, { took: 1 });

describe("a runtime is helped", () => {
  test("when looks got no answer for as long as is waited, whether they hang or are refused", () => {
    expect(run(times(2, {})).helps).toEqual([]);
    expect(run(times(3, {})).helps).toEqual([40_000]);
    expect(run(refused(6)).helps).toEqual([]);
    expect(run(refused(7)).helps).toEqual([30_007]);
  });

  test("after twice the time when the help was in vain, up to five minutes", () => {
    const waits = run(refused(200)).helps.map((ms) => Math.floor(ms / 1000));
    expect(waits.slice(0, 5)).toEqual([30, 60, 120, 240, 300]);
    expect(patience(TIMES.silentMs, 1_000)).toBe(300_000);
  });

  test("at once as patiently as the first time after it had answered", () => {
    const { helps } = run([...refused(7), { result: "answered", took: 5 }, ...refused(7)]);
    expect(helps).toEqual([30_007, 30_007]);
  });
});

describe("a runtime is left alone", () => {
  test("when it answers now and then", () => {
    const slow = times(2, {}).concat({ result: "answered", took: 9_000 });
    expect(run(Array.from({ length: 50 }, () => slow).flat()).helps).toEqual([]);
  });

  test("when this process stood still, between two looks or during one", () => {
    const between = run([...times(2, {}), { after: 3_600_000, took: 1 }]);
    const during = run([...times(2, {}), { took: 3_600_000 }]);
    for (const { helps, silence } of [between, during]) {
      expect(helps).toEqual([]);
      expect(silence.since).toBeUndefined();
    }
  });

  test("while it starts, for longer; and one that has just come up has its time to answer", () => {
    const start = (n: number) => times(n, { result: "starting", took: 1 });
    expect(run(start(18)).helps).toEqual([]);
    expect(run(start(19)).helps).toEqual([90_019]);
    expect(run([...start(17), ...times(2, {})]).helps).toEqual([]);
    expect(run([...start(17), ...times(3, {})]).helps).toEqual([40_000]);
  });

  test("while it is being started or loaded, and the silence from before counts no more", () => {
    expect(run([...times(2, {}), { result: "paused", took: 0 }, ...times(2, {})]).helps).toEqual(
      [],
    );
  });
});

const step = fc.record({
  after: fc.integer({ min: 0, max: 20_000 }),
  took: fc.integer({ min: 0, max: 20_000 }),
  result: fc.constantFrom<Look["result"]>("answered", "unanswered", "starting", "paused"),
});

test("whatever comes: no help without a silence as long as is waited, in which nothing answered", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let silence = noSilence(0);
      // Begin of the looks without an answer, kept apart from what is tested.
      let begin: number | undefined;
      const right = steps.every(({ after, took, result }) => {
        const look = { from: silence.looked + after, to: silence.looked + after + took, result };
        const starting = result === "starting";
        const wanted = patience(starting ? TIMES.startMs : TIMES.silentMs, silence.helped);
        const judged = judge(silence, look, TIMES);
        silence = judged.silence;
        begin = starting || result === "unanswered" ? (begin ?? look.from) : undefined;
        if (judged.silentMs === undefined) return true;
        const asWanted =
          begin !== undefined && judged.silentMs >= wanted && judged.silentMs <= look.to - begin;
        begin = undefined;
        return asWanted;
      });
      expect(right).toBe(true);
    }),
  );
});

test("a runtime that never answers again is always helped in the end", () => {
  const quick = fc.record({
    after: fc.integer({ min: 1, max: TIMES.everyMs }),
    took: fc.integer({ min: 0, max: TIMES.answerMs }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.array(quick, { minLength: 1 }),
      (any, last) => {
        let { silence } = run(any);
        const end = silence.looked + 700_000;
        let helped = false;
        for (let n = 0; !helped && silence.looked < end; n += 1) {
          const { after, took } = last[n % last.length] ?? { after: 1, took: 0 };
          const from = silence.looked + after;
          const judged = judge(silence, { from, to: from + took, result: "unanswered" }, TIMES);
          silence = judged.silence;
          helped = judged.silentMs !== undefined;
        }
        expect(helped).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});
