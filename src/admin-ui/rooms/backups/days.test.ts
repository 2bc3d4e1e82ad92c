import { expect, test } from "vitest";
import type { GenerationView } from "../../../protocol/admin-backups.ts";
import { byDay, until } from "./days.ts";

function generation(n: number, at: Date): GenerationView {
  return {
    ...{ generation: n, at: at.getTime(), reason: "change", files: 1, bytes: 1, stored: 1 },
    changes: { changed: 1, removed: 0, bytes: 1, paths: [] },
    encrypted: true,
  };
}

const evening = generation(3, new Date(2026, 4, 2, 23, 59));
const morning = generation(2, new Date(2026, 4, 2, 0, 0));
const before = generation(1, new Date(2026, 4, 1, 23, 59));

test("generations are put to the reader's days, newest first", () => {
  expect(byDay([evening, morning, before])).toEqual([
    { at: evening.at, generations: [evening, morning] },
    { at: before.at, generations: [before] },
  ]);
  expect(byDay([])).toEqual([]);
});

test("at a moment the newest generation that is not younger comes first", () => {
  const all = [evening, morning, before];
  expect(until(all, undefined)).toEqual(all);
  expect(until(all, morning.at)).toEqual([morning, before]);
  expect(until(all, before.at - 1)).toEqual([]);
});
