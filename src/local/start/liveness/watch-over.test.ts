import { expect, test } from "vitest";
import type { Look } from "./silence.ts";
import { watchOver } from "./watch-over.ts";

const TIMES = { everyMs: 5_000, answerMs: 10_000, silentMs: 30_000, startMs: 90_000 };

interface Play {
  /** How a look at this time ends. */
  look(now: number): { ms: number; result: Look["result"] };
  paused?(now: number): boolean;
  /** How much longer than it should a wait at this time lasts. */
  late?(now: number): number;
  helpMs?: number;
}

/** Ten minutes of it; answers when it was helped, and how often it was looked at. */
async function watch(play: Play) {
  const stop = new AbortController();
  let now = 0;
  let looks = 0;
  const helps: { at: number; silentMs: number; time: number }[] = [];
  await watchOver(
    {
      look: () => {
        looks += 1;
        const { ms, result } = play.look(now);
        now += ms;
        return Promise.resolve(result);
      },
      isPaused: () => play.paused?.(now) ?? false,
      help: (silentMs, time) => {
        helps.push({ at: now, silentMs, time });
        now += play.helpMs ?? 0;
        return Promise.resolve();
      },
    },
    TIMES,
    stop.signal,
    {
      now: () => now,
      wait: (ms) => {
        now += ms + (play.late?.(now) ?? 0);
        if (now > 600_000) stop.abort();
        return Promise.resolve();
      },
    },
  );
  return { helps, looks };
}

const silent: ReturnType<Play["look"]> = { ms: 10_000, result: "unanswered" };
const refused: ReturnType<Play["look"]> = { ms: 1, result: "unanswered" };

test("one that answers slowly is left alone, one that hangs is helped, told how often", async () => {
  expect((await watch({ look: () => ({ ms: 9_000, result: "answered" }) })).helps).toEqual([]);
  const { helps } = await watch({ look: () => silent, helpMs: 60_000 });
  expect(helps.slice(0, 2)).toMatchObject([
    { at: 45_000, silentMs: 40_000, time: 1 },
    { silentMs: 70_000, time: 2 },
  ]);
});

test("one that is started on purpose is not looked at, nor judged by a look that this fell into", async () => {
  const paused = await watch({ look: () => refused, paused: () => true });
  expect(paused).toEqual({ helps: [], looks: 0 });
  const during = await watch({
    look: () => silent,
    paused: (now) => now % 15_000 === 0,
  });
  expect(during.looks).toBeGreaterThan(10);
  expect(during.helps).toEqual([]);
});

test("what went by while this process was stopped is nobody's silence", async () => {
  const { helps, looks } = await watch({ look: () => refused, late: () => 20_000 });
  expect(looks).toBeGreaterThan(10);
  expect(helps).toEqual([]);
});

test("an end while a look is under way is the end: nothing is helped", async () => {
  const stop = new AbortController();
  let helped = 0;
  let now = 0;
  await watchOver(
    {
      look: () => {
        now += TIMES.silentMs;
        stop.abort();
        return Promise.resolve("unanswered");
      },
      isPaused: () => false,
      help: () => {
        helped += 1;
        return Promise.resolve();
      },
    },
    { ...TIMES, answerMs: TIMES.silentMs },
    stop.signal,
    { now: () => now, wait: () => Promise.resolve() },
  );
  expect(helped).toBe(0);
});
