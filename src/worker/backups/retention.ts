/**
 * Which generations stay. Pure. Fails towards keeping: the newest ones, the newest that is not
 * known to be damaged, and the newest that a restore is known to have worked from, stay whatever the
 * policy says.
 */
import type { GenerationEntry } from "./manifest.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NEWEST_KEPT = 3;

export interface RetentionPolicy {
  /** Hours in which every generation stays. */
  allHours: number;
  /** Days with one an hour, days with one a day, weeks with one a week. */
  hourlyDays: number;
  dailyDays: number;
  weeklyWeeks: number;
}

export const DEFAULT_RETENTION: RetentionPolicy = {
  allHours: 24,
  hourlyDays: 7,
  dailyDays: 30,
  weeklyWeeks: 52,
};

/**
 * Numbers of the generations to keep; `entries` oldest first.
 *
 * @param damaged whether a generation is known to be, by itself or by a pack that it needs
 */
export function retained(
  entries: readonly GenerationEntry[],
  policy: RetentionPolicy,
  now: number,
  damaged: (entry: GenerationEntry) => boolean,
): Set<number> {
  const kept = new Set<number>(entries.slice(-NEWEST_KEPT).map((entry) => entry.n));
  const sound = entries.filter((entry) => entry.reason !== "afresh" && !damaged(entry));
  const good = sound.findLast((entry) => entry.verifiedAt !== undefined);
  if (good !== undefined) kept.add(good.n);
  const intact = sound.at(-1);
  if (intact !== undefined) kept.add(intact.n);
  const tiers = [
    { within: policy.hourlyDays * DAY, every: HOUR },
    { within: policy.dailyDays * DAY, every: DAY },
    { within: policy.weeklyWeeks * 7 * DAY, every: 7 * DAY },
  ];
  const buckets = tiers.map(() => new Map<number, GenerationEntry>());
  let followed = Number.NEGATIVE_INFINITY;
  for (const entry of entries) {
    // One made while a clock was behind is no older than those it followed.
    if (entry.at <= now) followed = Math.max(followed, entry.at);
    const age = now - Math.max(entry.at, followed);
    if (age <= policy.allHours * HOUR) kept.add(entry.n);
    tiers.forEach((tier, i) => {
      if (age > tier.within) return;
      const bucket = Math.floor(entry.at / tier.every);
      const held = buckets[i]?.get(bucket);
      // The newest of its time, unless it is known to be damaged and another one is not.
      if (held === undefined || !damaged(entry) || damaged(held)) buckets[i]?.set(bucket, entry);
    });
  }
  for (const bucket of buckets) for (const entry of bucket.values()) kept.add(entry.n);
  return kept;
}
