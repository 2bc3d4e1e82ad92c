import { expect, it } from "vitest";
import { PassTimes } from "./pass-times.ts";

const INTERVAL = 1_000;
const HOUR = 3_600_000;

/** When the next one is asked for. */
const NOW = 10_200;

/** A pass of 100 ms that began at 10 s. */
function after(how: (times: PassTimes) => void): PassTimes {
  const times = new PassTimes(INTERVAL);
  times.began(10_000);
  times.ended(10_100);
  how(times);
  return times;
}

it.each([
  [
    "a change during the pass waits for the interval",
    { cpuMs: 50, watching: true },
    10_050,
    11_000,
  ],
  ["a pass that cost much is followed by a rest", { cpuMs: 4_000, watching: true }, 10_050, 18_100],
  ["no change", { cpuMs: 50, watching: true }, undefined, 70_100],
  ["no change, where a pass costs", { cpuMs: 400, watching: true }, undefined, 130_100],
  ["no change, where it costs much", { cpuMs: 4_000, watching: true }, undefined, 190_100],
  ["no change that could have been seen", { cpuMs: 50, watching: false }, undefined, 12_100],
])("%s", (_name, pass, dirtySince, next) => {
  expect(after((times) => times.succeeded(pass)).wait(NOW, dirtySince)).toBe(next - NOW);
});

it.each([
  [1, undefined, 11_100],
  [2, undefined, 15_100],
  [9, undefined, 70_100],
  [1, 30_000, 40_100],
])("failure %i, told to wait %s ms", (failures, retryAfterMs, next) => {
  expect(after((times) => times.failed(10_100, failures, retryAfterMs)).wait(NOW, 10_000)).toBe(
    next - NOW,
  );
});

it("a success ends the wait of a failure", () => {
  const times = after((one) => one.failed(10_100, 9));
  times.succeeded({ cpuMs: 0, watching: true });
  expect(times.wait(NOW, 10_000)).toBe(11_000 - NOW);
});

it("a change long after a pass waits for what comes with it", () => {
  const times = after((one) => one.succeeded({ cpuMs: 50, watching: true }));
  expect(times.wait(20_100, 20_000)).toBe(150);
  expect(times.wait(20_300, 20_000)).toBe(0);
});

it.each([
  ["no change", undefined, 60_000],
  ["a change before", 24 * HOUR + 500, 1_000],
  ["a change since", HOUR, 1_000],
])("a clock that is set back puts off nothing: %s", (_, dirtySince, wait) => {
  const times = new PassTimes(INTERVAL);
  times.began(24 * HOUR);
  times.ended(24 * HOUR + 100);
  times.succeeded({ cpuMs: 50, watching: true });
  expect(times.wait(HOUR, dirtySince)).toBe(wait);
  expect(times.wait(HOUR + 700, dirtySince)).toBe(wait - 700);
});

it("a clock that is set back after a failure leaves its pause as it is", () => {
  const times = new PassTimes(INTERVAL);
  times.began(24 * HOUR);
  times.ended(24 * HOUR);
  times.failed(24 * HOUR, 2);
  expect(times.wait(HOUR, undefined)).toBe(5_000);
  expect(times.wait(HOUR + 700, undefined)).toBe(4_300);
});
