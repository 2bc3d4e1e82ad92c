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
