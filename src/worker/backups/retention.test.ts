import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GenerationEntry } from "./manifest.ts";
import { DEFAULT_RETENTION, retained as retainedOf } from "./retention.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2030, 0, 15, 12);

function entry(n: number, ageHours: number, more: Partial<GenerationEntry> = {}): GenerationEntry {
  return {
    ...{ n, parent: n - 1, at: NOW - ageHours * HOUR, start: 1, reason: "change" },
    ...{ packs: [], needs: [], files: 0, bytes: 0 },
    changes: { changed: 0, removed: 0, bytes: 0, paths: [] },
    ...more,
  };
}

/** One every `step` hours for `days` days, oldest first. */
function history(days: number, step: number): GenerationEntry[] {
  const count = Math.floor((days * 24) / step);
  return Array.from({ length: count }, (_, i) => entry(i + 1, (count - i) * step));
}

function retained(
  entries: readonly GenerationEntry[],
  damaged: (one: GenerationEntry) => boolean = (one) => one.damaged !== undefined,
): Set<number> {
  return retainedOf(entries, DEFAULT_RETENTION, NOW, damaged);
}

describe("which generations stay", () => {
  test("all of a day, one an hour for a week, one a day for a month, one a week for a year", () => {
    const entries = history(500, 0.25);
    const kept = retained(entries);
    const of = (from: number, to: number) =>
      entries.filter(({ n, at }) => {
        const age = (NOW - at) / HOUR;
        return kept.has(n) && age > from && age <= to;
      }).length;
    expect(of(0, 24)).toBe(96);
    expect(of(24, 7 * 24)).toBe(6 * 24);
    expect(of(7 * 24, 30 * 24)).toBe(23);
    expect(of(30 * 24, 52 * 7 * 24)).toBeGreaterThanOrEqual(47);
    expect(of(53 * 7 * 24, Number.POSITIVE_INFINITY)).toBe(0);
  });

  test("the newest that was verified stays however old and however many follow", () => {
    const good = entry(1, 10_000, { verifiedAt: 1 });
    const flood = Array.from({ length: 5000 }, (_, i) => entry(i + 2, 1 - i / 5000));
    expect(retained([good, ...flood]).has(1)).toBe(true);
  });

  test("a decision to start afresh does not count as one that a restore worked from", () => {
    const good = entry(1, 20_000, { verifiedAt: 1 });
    const afresh = entry(2, 10_500, { verifiedAt: 2, reason: "afresh" });
    const later = Array.from({ length: 4 }, (_, i) => entry(i + 3, 9500 - i));
    expect(retained([good, afresh, ...later]).has(1)).toBe(true);
  });

  test("the newest intact one stays, however many need a pack that is known to be broken", () => {
    const broken = (one: GenerationEntry) => one.needs.includes("2.0");
    // Later ones of the same day and week, and of later years, stand on the broken pack.
    const entries = [
      entry(1, 20_001),
      ...[20_000, 15_000, 200.5, 200, 0.4, 0.3, 0.2].map((age, i) =>
        entry(i + 2, age, { needs: ["2.0"] }),
      ),
    ];
    expect(retained(entries, broken).has(1)).toBe(true);
    const sameWeek = [entry(1, 201), ...entries.slice(3)];
    expect(retained(sameWeek, broken).has(1)).toBe(true);
  });

  test("an agent that was idle for years keeps its newest ones", () => {
    const entries = [entry(1, 90_000), entry(2, 80_000)];
    expect([...retained(entries)]).toEqual([1, 2]);
  });

  test("what was made after a generation of the last day stays, whatever the clock said then", () => {
    const at = fc.integer({ min: -30_000, max: 500_000 });
    fc.assert(
      fc.property(fc.array(at, { maxLength: 60 }), fc.array(at, { maxLength: 60 }), (...both) => {
        const [before, after] = both;
        const all = [...before, 23, ...after].map((age, i) => entry(i + 1, age));
        const kept = retained(all);
        const from = before.length + 1;
        expect(all.filter(({ n }) => n >= from && !kept.has(n))).toEqual([]);
      }),
    );
  });

  test("no generation takes away one of another time, however far a clock was off when it was made", () => {
    const count = 100;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(count - 1), fc.integer({ min: -500_000, max: 500_000 }))),
        (wrong) => {
          const right = history(count, 24);
          const off = new Map(wrong);
          const entries = right.map(({ n, at }, i) =>
            entry(n, 0, { at: at + (off.get(i) ?? 0) * HOUR }),
          );
          const kept = retained(entries);
          // Of the last month a day that had one by a right clock still has one.
          const days = (some: typeof entries) =>
            new Set(some.map(({ at }) => Math.floor(at / DAY)));
          const month = entries.filter((one, i) => !off.has(i) && NOW - one.at <= 30 * DAY);
          const left = days(entries.filter(({ n }) => kept.has(n)));
          expect([...days(month)].filter((day) => !left.has(day))).toEqual([]);
        },
      ),
    );
  });

  test("nothing that is kept is let go of by looking again, or with a clock that is set back", () => {
    const ages = fc.array(fc.double({ min: 0, max: 9000, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(ages, fc.nat(20_000), (some, back) => {
        const entries = some.toSorted((a, b) => b - a).map((age, i) => entry(i + 1, age));
        const kept = retained(entries);
        const left = entries.filter(({ n }) => kept.has(n));
        for (const now of [NOW, NOW - back * HOUR]) {
          const again = retainedOf(left, DEFAULT_RETENTION, now, () => false);
          expect(left.filter(({ n }) => !again.has(n))).toEqual([]);
        }
      }),
    );
  });

  test("generations of the last hour never take the place of older ones", () => {
    const ages = fc.array(fc.double({ min: 1, max: 9000, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(ages, fc.nat(300), (older, flood) => {
        const before = older
          .toSorted((a, b) => b - a)
          .map((age, i) => entry(i + 1, Math.ceil(age) + 1));
        const newer = Array.from({ length: flood }, (_, i) =>
          entry(before.length + i + 1, 0.4 - i / 1000),
        );
        const alone = retained(before);
        const flooded = retained([...before, ...newer]);
        const newest = new Set(before.slice(-3).map(({ n }) => n));
        const lost = [...alone].filter((n) => !flooded.has(n) && !newest.has(n));
        // Only the one that stood for a day or a week that is not over yet.
        expect(lost.length).toBeLessThanOrEqual(2);
      }),
    );
  });
});
