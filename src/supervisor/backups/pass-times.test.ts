import { expect, it } from "vitest";
import { PassTimes } from "./pass-times.ts";

const INTERVAL = 1_000;

/** A pass of 100 ms that began at 10 s. */
function after(how: (times: PassTimes) => void): PassTimes {
  const times = new PassTimes(INTERVAL);
  times.began(10_000);
  times.ended(10_100);
  how(times);
  return times;
}

it.each([
  ["a change", { cpuMs: 50, watching: true }, 20_000, 20_250],
  [
    "a change during the pass waits for the interval",
    { cpuMs: 50, watching: true },
    10_050,
    11_000,
  ],
  ["a pass that cost much is followed by a rest", { cpuMs: 4_000, watching: true }, 10_050, 18_100],
  ["no change", { cpuMs: 50, watching: true }, undefined, 70_100],
  ["no change that could have been seen", { cpuMs: 50, watching: false }, undefined, 12_100],
])("%s", (_name, pass, dirtySince, next) => {
  expect(after((times) => times.succeeded(pass)).next(dirtySince)).toBe(next);
});

it.each([
  [1, undefined, 11_100],
  [2, undefined, 15_100],
  [9, undefined, 70_100],
  [1, 30_000, 40_100],
])("failure %i, told to wait %s ms", (failures, retryAfterMs, next) => {
  expect(after((times) => times.failed(10_100, failures, retryAfterMs)).next(10_000)).toBe(next);
});

it("a success ends the wait of a failure", () => {
  const times = after((one) => one.failed(10_100, 9));
  times.succeeded({ cpuMs: 0, watching: true });
  expect(times.next(10_000)).toBe(11_000);
});
