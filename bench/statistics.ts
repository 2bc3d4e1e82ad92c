/** Numbers out of samples, and numbers for people. */

/** Nearest rank: always a value that was measured. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(sorted.length * share));
  return sorted[rank - 1] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

export const PERCENTILES = ["p50", "p95", "p99"] as const;

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

export function percentiles(samples: readonly number[]): Percentiles {
  return {
    p50: percentile(samples, 0.5),
    p95: percentile(samples, 0.95),
    p99: percentile(samples, 0.99),
  };
}

export function milliseconds(value: number): string {
  return `${value.toFixed(value < 100 ? 2 : 0)} ms`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A row of three percentiles. */
export function percentileRow(name: string, samples: readonly number[]): string[] {
  const all = percentiles(samples);
  return [name, ...PERCENTILES.map((key) => milliseconds(all[key]))];
}

/** What `through` takes longer than `direct`, percentile by percentile. */
export function addedRow(
  name: string,
  direct: readonly number[],
  through: readonly number[],
): string[] {
  const [one, other] = [percentiles(direct), percentiles(through)];
  return [name, ...PERCENTILES.map((key) => milliseconds(other[key] - one[key]))];
}
