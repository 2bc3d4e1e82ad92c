import type { GenerationView } from "../../../protocol/admin-backups.ts";

export interface Day {
  /** Of its newest generation, in milliseconds since the epoch. */
  at: number;
  generations: GenerationView[];
}

/** By the reader's own days; both the days and what is in them newest first. */
export function byDay(generations: readonly GenerationView[]): Day[] {
  const days = new Map<string, Day>();
  for (const one of generations) {
    const key = new Date(one.at).toDateString();
    const day = days.get(key) ?? { at: one.at, generations: [] };
    day.generations.push(one);
    days.set(key, day);
  }
  return [...days.values()];
}

/** What was there at a moment: the generation that held then, and the older ones. */
export function until(
  generations: readonly GenerationView[],
  moment: number | undefined,
): readonly GenerationView[] {
  return moment === undefined ? generations : generations.filter(({ at }) => at <= moment);
}
