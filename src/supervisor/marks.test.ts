import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { BEHIND_MS, createMarks } from "./marks.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function marksOf(kept = true) {
  const parts = {
    kept,
    onKept: vi.fn<() => void>(),
    poke: vi.fn<() => void>(),
    now: () => Date.now(),
  };
  return { ...parts, marks: createMarks(parts) };
}

it("counts a mark as kept only by a backup that began seconds after it was taken", () => {
  const { marks, onKept } = marksOf();
  const first = marks.take();
  vi.advanceTimersByTime(BEHIND_MS - 1);
  const early = marks.seal();
  vi.advanceTimersByTime(1);
  const sealed = marks.seal();
  const second = marks.take();
  early();
  expect(marks.kept()).toBe(0);
  sealed();
  expect(marks.kept()).toBe(first);
  vi.advanceTimersByTime(BEHIND_MS);
  marks.seal()();
  expect(marks.kept()).toBe(second);
  sealed();
  expect(marks.kept()).toBe(second);
  expect(onKept).toHaveBeenCalledTimes(2);
});

it("asks for a backup at once, and for one that holds the newest mark", () => {
  const { marks, poke } = marksOf();
  marks.take();
  vi.advanceTimersByTime(BEHIND_MS / 2);
  const newest = marks.take();
  expect(poke).toHaveBeenCalledTimes(2);
  poke.mockImplementation(() => marks.seal()());
  vi.advanceTimersByTime(BEHIND_MS);
  expect(poke).toHaveBeenCalledTimes(3);
  expect(marks.kept()).toBe(newest);
});

it("says nothing is kept of a backup that was not committed", () => {
  const { marks } = marksOf();
  marks.take();
  vi.advanceTimersByTime(BEHIND_MS);
  marks.seal();
  expect(marks.kept()).toBe(0);
});

it("counts every mark at once where no bucket is bound", () => {
  const { marks } = marksOf(false);
  expect(marks.take()).toBe(marks.kept());
});

it("counts no mark as kept that a gateway may have lost with its end, until the next one has it", () => {
  const { marks } = marksOf();
  const settled = marks.take();
  vi.advanceTimersByTime(BEHIND_MS);
  const last = marks.take();
  const release = marks.hold();
  vi.advanceTimersByTime(10 * BEHIND_MS);
  const meanwhile = marks.take();
  marks.seal()();
  expect(marks.kept()).toBe(settled);
  release();
  marks.seal()();
  expect(marks.kept()).toBe(settled);
  vi.advanceTimersByTime(BEHIND_MS);
  marks.seal()();
  expect(marks.kept()).toBe(meanwhile);
  expect(last).toBeLessThan(meanwhile);
});

it("asks for a backup that holds what was held, and lets it go for the last end alone", () => {
  const { marks, poke } = marksOf();
  const newest = marks.take();
  const first = marks.hold();
  vi.advanceTimersByTime(BEHIND_MS);
  const second = marks.hold();
  first();
  vi.advanceTimersByTime(2 * BEHIND_MS);
  marks.seal()();
  expect(marks.kept()).toBe(0);
  poke.mockImplementation(() => marks.seal()());
  second();
  vi.advanceTimersByTime(BEHIND_MS);
  expect(marks.kept()).toBe(newest);
});
