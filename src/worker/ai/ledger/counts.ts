/** What a call comes to once its end is told: the provider's own numbers, or an upper bound. Pure. */
import type { PriceOverride } from "../../../protocol/spend-settings.ts";
import type { CallState } from "../../../protocol/spend.ts";
import { NANO, type PriceBook, type PricedModel, priceOf } from "../price.ts";
import type { Settlement } from "./calls.ts";

/** A call as it was reserved. */
export interface ReservedRow {
  provider: string;
  model: string;
  input: number;
  output: number;
  nano: number;
  price_known: number;
}

export interface Counts {
  state: CallState;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  reasoning: number;
  nano: number;
  known: boolean;
}

export function countsOf(
  row: ReservedRow,
  settlement: Settlement,
  target: PricedModel,
  book: PriceBook,
): Counts {
  const kept = { input: row.input, output: row.output, nano: row.nano };
  const none = { cacheRead: 0, cacheWrite: 0, reasoning: 0 };
  if (settlement.state === "free") {
    return { state: "free", input: 0, output: 0, nano: 0, known: true, ...none };
  }
  if (settlement.state === "unsettled") {
    return { state: "unsettled", ...kept, known: row.price_known === 1, ...none };
  }
  const { usage: told = {}, textBytes, usd } = settlement.usage;
  const whole = settlement.state === "settled" && settlement.usage.usage !== undefined;
  const usage = whole
    ? told
    : {
        ...told,
        input_tokens: told["input_tokens"] ?? row.input,
        output_tokens: Math.max(told["output_tokens"] ?? 0, Math.min(textBytes, row.output)),
      };
  const priced = priceOf(usage, target, book);
  const nano =
    whole && usd !== undefined && !hasOwn(book.own, row) ? Math.ceil(usd * NANO) : undefined;
  return {
    state: whole ? "settled" : "estimated",
    input: rounded(usage["input_tokens"]),
    output: rounded(usage["output_tokens"]),
    cacheRead: rounded(usage["cache_read_tokens"]),
    cacheWrite: rounded(usage["cache_write_tokens"]),
    reasoning: rounded(usage["output_reasoning_tokens"]),
    nano: nano ?? priced.nano,
    known: nano !== undefined || priced.known,
  };
}

function hasOwn(own: readonly PriceOverride[], { provider, model }: ReservedRow): boolean {
  const name = `${provider}/${model}`;
  return own.some(({ model: pattern }) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

function rounded(count: number | undefined): number {
  return Math.round(count ?? 0);
}
