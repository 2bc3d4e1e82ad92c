import { expect, it } from "vitest";
import { createMarks } from "./marks.ts";

it("counts a mark as kept only by a backup that began after it was taken", () => {
  let told = 0;
  const marks = createMarks({ kept: true, onKept: () => (told += 1) });
  const first = marks.take();
  const sealed = marks.seal();
  const second = marks.take();
  expect(marks.kept()).toBe(0);
  sealed();
  expect(marks.kept()).toBe(first);
  marks.seal()();
  expect(marks.kept()).toBe(second);
  sealed();
  expect(marks.kept()).toBe(second);
  expect(told).toBe(2);
});

it("says nothing is kept of a backup that was not committed", () => {
  const marks = createMarks({ kept: true, onKept: () => undefined });
  marks.take();
  marks.seal();
  expect(marks.kept()).toBe(0);
});

it("counts every mark at once where no bucket is bound", () => {
  const marks = createMarks({ kept: false, onKept: () => undefined });
  expect(marks.take()).toBe(marks.kept());
});
