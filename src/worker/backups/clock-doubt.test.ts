import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lookAtClock } from "./clock-doubt.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NOW = Date.UTC(2030, 0, 15, 12);

/** What comes of looks at a clock that shows these, one after the other. */
function looks(former: number, ...shown: number[]): boolean[] {
  let noted: { believedAt?: number | undefined; doubtedAt?: number | undefined } = {
    believedAt: former,
  };
  return shown.map((now) => {
    const look = lookAtClock(now, noted.believedAt ?? now, noted.doubtedAt);
    noted = { ...noted, ...look.noted };
    return look.believed;
  });
}

test("a clock that goes on is believed, also over weeks that nobody looked", () => {
  expect(looks(NOW, NOW + MINUTE, NOW + 29 * DAY, NOW + 58 * DAY)).toEqual([true, true, true]);
});

test.each([
  ["ahead", 70 * 365 * DAY],
  ["behind", -50 * 365 * DAY],
])("one that is years %s is believed after an hour, and not when it is put right", (_, off) => {
  const [far, right] = [NOW + off, NOW + 65 * MINUTE];
  expect(looks(NOW, far, far + 59 * MINUTE, right)).toEqual([false, false, true]);
  expect(looks(NOW, far, far + 59 * MINUTE, far + 60 * MINUTE)).toEqual([false, false, true]);
});

test("one that is wrong again and again for a moment is never believed then", () => {
  const far = (days: number) => NOW + (20_000 + days) * DAY;
  const right = (days: number) => NOW + days * DAY;
  expect(looks(NOW, far(0), right(0), far(1), right(1), far(2))).toEqual([
    ...[false, true, false, true, false],
  ]);
  expect(looks(NOW, far(0), far(40), far(80), far(80) + 2 * 60 * MINUTE)).toEqual([
    ...[false, false, false, true],
  ]);
});

test("whatever it shows, what is believed is near what was believed or was shown an hour before", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5000 * DAY })), (shown) => {
      let believed = NOW;
      for (const [i, isBelieved] of looks(NOW, ...shown).entries()) {
        const now = shown[i] ?? 0;
        const confirmed = shown
          .slice(0, i)
          .some((one) => now - one >= 60 * MINUTE && now - one <= 30 * DAY);
        const near = Math.abs(now - believed) <= 30 * DAY;
        expect(isBelieved && !near && !confirmed).toBe(false);
        if (isBelieved) believed = now;
      }
    }),
  );
});
