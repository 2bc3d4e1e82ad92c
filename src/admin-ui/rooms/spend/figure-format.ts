import type { Language } from "../../text/text.tsx";

const LOCALE: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };
/** `12.3K` on an axis or where space is short. */
export function formatShort(count: number, language: Language): string {
  return new Intl.NumberFormat(LOCALE[language], {
    notation: "compact",
    maximumFractionDigits: 1,
  }).format(count);
}

export function formatShare(share: number, language: Language): string {
  return new Intl.NumberFormat(LOCALE[language], {
    style: "percent",
    maximumFractionDigits: 1,
  }).format(share);
}

/** Below a second, whole milliseconds. */
export function formatLatency(ms: number, language: Language): string {
  const [value, unit, digits] = ms < 1000 ? [ms, "millisecond", 0] : [ms / 1000, "second", 1];
  return new Intl.NumberFormat(LOCALE[language], {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: digits,
  }).format(value);
}

/** A day without a time is the same day wherever it is read. */
export function formatDay(day: string, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], {
    month: "short",
    day: "numeric",
    timeZone: "UTC",
  }).format(Date.parse(day));
}
