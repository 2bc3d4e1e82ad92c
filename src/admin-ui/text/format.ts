import type { Language } from "./text.tsx";

const LOCALE: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

export function formatMoment(at: number, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], {
    dateStyle: "medium",
    timeStyle: "medium",
  }).format(at);
}

export function formatClock(at: number, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { timeStyle: "medium" }).format(at);
}

const STEPS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** `3 minutes ago`, `in 5 seconds`. */
export function formatAgo(at: number, now: number, language: Language): string {
  const difference = at - now;
  const [unit, size] = STEPS.find(([, ms]) => Math.abs(difference) >= ms) ?? STEPS[3];
  return new Intl.RelativeTimeFormat(LOCALE[language], { numeric: "auto" }).format(
    Math.trunc(difference / size),
    unit,
  );
}

/** The two largest units: `2 h 5 min`. Below a minute tenths of a second show. */
export function formatDuration(ms: number, language: Language): string {
  const format = (value: number, unit: string, digits = 0): string =>
    new Intl.NumberFormat(LOCALE[language], {
      style: "unit",
      unit,
      unitDisplay: "short",
      maximumFractionDigits: digits,
    }).format(value);
  if (ms < 60_000) return format(ms / 1000, "second", ms < 10_000 ? 1 : 0);
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of STEPS) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(format(count, unit));
    rest -= count * size;
  }
  return parts.slice(0, 2).join(" ");
}

const SIZES = [
  ["gigabyte", 1e9],
  ["megabyte", 1e6],
  ["kilobyte", 1e3],
  ["byte", 1],
] as const;

/** In the largest unit of which there is one; with a decimal below ten. */
export function formatBytes(bytes: number, language: Language): string {
  const [unit, size] = SIZES.find(([, least]) => bytes >= least) ?? SIZES[3];
  const value = bytes / size;
  return new Intl.NumberFormat(LOCALE[language], {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: value < 10 && size > 1 ? 1 : 0,
  }).format(value);
}

export function formatNumber(value: number, language: Language): string {
  return new Intl.NumberFormat(LOCALE[language]).format(value);
}

/** The day, for a heading. */
export function formatDay(at: number, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { dateStyle: "full" }).format(at);
}

/** Two digits hide what a single call costs. */
const SMALL_USD = 1;

export function formatUsd(usd: number, language: Language): string {
  return new Intl.NumberFormat(LOCALE[language], {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.abs(usd) < SMALL_USD ? 5 : 2,
  }).format(usd);
}
