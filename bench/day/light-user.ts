/** One day of somebody who uses the agent lightly: times of day in seconds. */

const at = (hours: number, minutes = 0): number => hours * 3_600 + minutes * 60;

/** Messages and questions: a look in the morning, a little at noon, a longer one in the evening. */
export const MESSAGES: readonly number[] = [
  ...[0, 2, 5, 9, 14].map((minute) => at(7, 30 + minute)),
  at(10, 12),
  ...[0, 3, 8].map((minute) => at(12, 40 + minute)),
  at(15, 55),
  ...[0, 1, 4, 6, 11, 18, 25, 33, 40].map((minute) => at(20, 5 + minute)),
  at(22, 50),
];

/** Scheduled jobs: a summary in the morning, a reminder in the afternoon. */
export const JOBS: readonly number[] = [at(7), at(17, 30)];
