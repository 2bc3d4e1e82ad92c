/** What a call comes to once its end is told: the provider's own numbers, or an upper bound. Pure. */
import type { Usage } from "@pydantic/genai-prices";
import type { PriceOverride } from "../../../protocol/spend-settings.ts";
import type { CallState } from "../../../protocol/spend.ts";
import { boundOf, NANO, type PriceBook, type PricedModel, priceOf } from "../price.ts";
import { factorOf } from "../surcharges.ts";
import type { UsageReport } from "../usage.ts";
import type { Settlement } from "./calls.ts";

/** A call as it was reserved. */
export interface ReservedRow {
  provider: string;
  model: string;
  wire: string;
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
  plain: PricedModel,
  book: PriceBook,
): Counts {
  const none = { cacheRead: 0, cacheWrite: 0, reasoning: 0 };
  if (settlement.state === "free") {
    return { state: "free", input: 0, output: 0, nano: 0, known: true, ...none };
  }
  const {
    usage = {},
    usd,
    mode,
    feesUsd,
  } = settlement.state === "unsettled" ? NOTHING_TOLD : settlement.usage;
  if (usage["input_tokens"] === undefined) {
    const { input, output, nano, price_known } = row;
    return { state: "unsettled", input, output, nano, known: price_known === 1, ...none };
  }
  const target = { ...plain, factor: factorOf(mode, row.wire, row.model) };
  const fees = Math.ceil(feesUsd * NANO);
  if (settlement.state === "estimated") {
    // Nobody shows how much a model has thought that was cut off: it may have written all it could.
    const read = priceOf(readAlone(usage), target, book);
    const written = boundOf(usage["input_tokens"], row.output, target, book);
    return {
      ...countsTold(usage),
      state: "estimated",
      output: row.output,
      nano: read.nano + written.outputNano + fees,
      known: read.known,
    };
  }
  const priced = priceOf(usage, target, book);
  const toldNano = usd === undefined || hasOwn(book.own, row) ? undefined : Math.ceil(usd * NANO);
  return {
    ...countsTold(usage),
    state: "settled",
    nano: toldNano ?? priced.nano + fees,
    known: toldNano !== undefined || priced.known,
  };
}

const NOTHING_TOLD: Pick<UsageReport, "usage" | "usd" | "mode" | "feesUsd"> = {
  mode: {},
  feesUsd: 0,
};

function countsTold(usage: Usage) {
  return {
    input: rounded(usage["input_tokens"]),
    output: rounded(usage["output_tokens"]),
    cacheRead: rounded(usage["cache_read_tokens"]),
    cacheWrite: rounded(usage["cache_write_tokens"]),
    reasoning: rounded(usage["output_reasoning_tokens"]),
  };
}

function readAlone(usage: Usage): Usage {
  return Object.fromEntries(Object.entries(usage).filter(([name]) => !name.startsWith("output")));
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
