import { expect, it } from "vitest";
import { DueRun, leadFor } from "./due-run.ts";

const DAY = 86_400_000;

function notebook() {
  const settings = new Map<string, string>();
  return {
    setting: (name: string) => settings.get(name),
    setSetting: (name: string, value: string) => void settings.set(name, value),
  };
}

const quick = () => 4_000;

it.each([
  [undefined, 60_000],
  [1_000, 30_000],
  [40_000, 70_000],
  [900_000, 180_000],
])("after starts of %s ms at most it begins %i ms before the job", (slowest, lead) => {
  expect(leadFor(slowest)).toBe(lead);
});

it("wakes the agent ahead of the job, also after the Durable Object began anew", () => {
  const kept = notebook();
  new DueRun(kept, quick).observe(10_000_000);
  const due = new DueRun(kept, quick);
  expect(due.wakeAt()).toBe(9_970_000);
  due.observe(undefined);
  expect(due.wakeAt()).toBe(9_970_000);
  due.observe(null);
  expect(due.wakeAt()).toBeUndefined();
});

it("wakes it a minute after another wake at the soonest, whatever it says", () => {
  const due = new DueRun(notebook(), quick);
  due.observe(1);
  due.woke(5_000_000);
  expect(due.wakeAt()).toBe(5_060_000);
});

it("does not put one to sleep whose job is about to run", () => {
  const due = new DueRun(notebook(), quick);
  due.observe(1_000_000);
  expect(due.isSoon(909_000)).toBe(false);
  expect(due.isSoon(911_000)).toBe(true);
  expect(due.isSoon(1_080_000)).toBe(true);
  expect(due.isSoon(1_091_000)).toBe(false);
});

it("wakes it for a bounded number of jobs a day, and again the next day", () => {
  const due = new DueRun(notebook(), quick);
  due.observe(5 * DAY + 7_200_000);
  for (let wakes = 0; wakes < 96; wakes += 1) due.woke(5 * DAY + wakes);
  expect(due.wakeAt()).toBe(6 * DAY);
});

it("waits longer after each wake that did not get it ready, and a minute after one that did", () => {
  const due = new DueRun(notebook(), quick);
  due.observe(1);
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => {
    due.woke(DAY + n);
    return (due.wakeAt() ?? 0) - DAY - n;
  });
  expect(waits.map((wait) => wait / 60_000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  due.ready();
  due.woke(2 * DAY);
  expect(due.wakeAt()).toBe(2 * DAY + 60_000);
});

it("stays up for a job that no wake of the day is left for", () => {
  const due = new DueRun(notebook(), quick);
  due.observe(5 * DAY + 7_200_000);
  expect(due.isSoon(5 * DAY)).toBe(false);
  for (let wakes = 0; wakes < 96; wakes += 1) due.woke(5 * DAY + wakes);
  expect(due.isSoon(5 * DAY + 1_000)).toBe(true);
  expect(due.isSoon(5 * DAY + 7_291_000)).toBe(false);
  due.observe(6 * DAY + 7_200_000);
  expect(due.isSoon(5 * DAY + 1_000)).toBe(false);
});
