/**
 * Whether a call fits into what is left of the caps. Pure. Fails closed: what does not fit at its
 * upper bound, or lowered to what is left, is refused.
 */
import type { CapSettings } from "../../../protocol/spend-settings.ts";
import type { CapMeter } from "../../../protocol/spend.ts";
import { NANO } from "../price.ts";
import type { CapReached } from "./calls.ts";

export interface Sums {
  nano: number;
  tokens: number;
}

export interface Used {
  /** Settled and reserved, of this UTC day and month. */
  day: { spent: Sums; reserved: Sums };
  month: { spent: Sums; reserved: Sums };
}

export interface Raised {
  usd: number;
  tokens: number;
}

/** A day's amount of what is capped. */
export function onceMore({ dayUsd, monthUsd, dayTokens, monthTokens }: CapSettings): Raised {
  return {
    usd: dayUsd ?? (monthUsd ?? 0) / 30,
    tokens: dayTokens ?? Math.ceil((monthTokens ?? 0) / 30),
  };
}

/** The meters that are set, with what was raised for today. */
export function meters(caps: CapSettings, raised: Raised, used: Used): CapMeter[] {
  const all = [
    { period: "day", unit: "usd", base: caps.dayUsd },
    { period: "month", unit: "usd", base: caps.monthUsd },
    { period: "day", unit: "tokens", base: caps.dayTokens },
    { period: "month", unit: "tokens", base: caps.monthTokens },
  ] as const;
  return all.flatMap(({ period, unit, base }) => {
    if (base === undefined) return [];
    const { spent, reserved } = used[period];
    const amount = (sums: Sums) => (unit === "usd" ? sums.nano / NANO : sums.tokens);
    return [
      {
        period,
        unit,
        cap: base + raised[unit],
        raised: raised[unit],
        spent: amount(spent),
        reserved: amount(reserved),
      },
    ];
  });
}

export interface Bound {
  inputTokens: number;
  inputNano: number;
  outputTokens: number;
  outputNano: number;
  /** Lowest output limit that still makes sense; absent when the limit cannot be lowered. */
  leastOutput?: number;
}

export type Fit = { ok: true; outputTokens: number } | { ok: false; reached: CapReached };

export function fit(bound: Bound, all: readonly CapMeter[]): Fit {
  let outputTokens = bound.outputTokens;
  for (const meter of all) {
    const used = meter.spent + meter.reserved;
    const left = meter.cap - used;
    const perToken = bound.outputTokens === 0 ? 0 : bound.outputNano / bound.outputTokens;
    const input = meter.unit === "usd" ? bound.inputNano / NANO : bound.inputTokens;
    const each = meter.unit === "usd" ? perToken / NANO : 1;
    if (input + outputTokens * each <= left) continue;
    const fitting = each === 0 ? 0 : Math.floor((left - input) / each);
    if (left <= 0 || bound.leastOutput === undefined || fitting < bound.leastOutput) {
      const { period, unit, cap } = meter;
      return { ok: false, reached: { period, unit, cap, used } };
    }
    outputTokens = Math.min(outputTokens, fitting);
  }
  return { ok: true, outputTokens };
}

/** Whether so much fits under every cap, or into that share of what is left under it. */
export function hasRoom(sums: Sums, all: readonly CapMeter[], share = 1): boolean {
  return all.every(({ cap, spent, reserved, unit }) => {
    const wanted = unit === "usd" ? sums.nano / NANO : sums.tokens;
    return wanted <= (cap - spent - reserved) * share;
  });
}

export const ALERT_PERCENTS = [50, 80, 100] as const;

/** The percentages that a meter has come to with settled calls. */
export function passed({ cap, spent }: CapMeter): (typeof ALERT_PERCENTS)[number][] {
  return ALERT_PERCENTS.filter((percent) => spent >= (cap * percent) / 100);
}
