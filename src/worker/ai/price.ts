/**
 * What tokens cost. Fails closed: where no price is known the worst case is counted, never zero.
 *
 * Own prices come first, then the price data in the package; both say what they are.
 */
import {
  calcPrice,
  findProvider,
  type ModelPrice,
  type Provider,
  type Usage,
} from "@pydantic/genai-prices";
import type { PriceOverride, WorstCasePrice } from "../../protocol/spend-settings.ts";
import { DEAREST_FACTOR, type Factor } from "./surcharges.ts";

export interface PriceBook {
  own: readonly PriceOverride[];
  worstCase: WorstCasePrice;
}

export interface Priced {
  /** A billion are a dollar. */
  nano: number;
  known: boolean;
}

/** Which model, and how the price data finds it. */
export interface PricedModel {
  provider: string;
  model: string;
  /** Name of the provider in the price data, or the address of a server that may be in it. */
  source: { providerId: string } | { providerApiUrl: string };
  /** Absent: at the list price. */
  factor?: Factor;
}

export const PRICE_SOURCE = "@pydantic/genai-prices 0.1.8";
/** When that version was published with its data. */
export const PRICE_DATE = "2026-09-23";

export const NANO = 1_000_000_000;
const UNKNOWN_WINDOW = 1_000_000;

export function priceOf(usage: Usage, target: PricedModel, book: PriceBook): Priced {
  const own = ownPrice(target, book.own);
  const plain = own === undefined ? byList(usage, target) : byOwn(usage, own);
  const { factor = 1 } = target;
  if (plain !== undefined && factor !== "unknown") {
    return { nano: Math.ceil(plain * factor - 1e-6), known: true };
  }
  const { input, output } = book.worstCase;
  const worst = atRate(usage["input_tokens"], input) + atRate(usage["output_tokens"], output);
  return { nano: Math.ceil(Math.max(worst, (plain ?? 0) * DEAREST_FACTOR)), known: false };
}

/**
 * The dearest that so many tokens can come to, whatever they are: all of the input may be written
 * to a cache, or be sound.
 */
export function boundOf(
  input: number,
  output: number,
  target: PricedModel,
  book: PriceBook,
): { inputNano: number; outputNano: number; known: boolean } {
  const own = ownPrice(target, book.own);
  const rates =
    own === undefined
      ? dearest(input, listed(target)?.rates)
      : {
          input: Math.max(own.input, own.cacheRead ?? 0, own.cacheWrite ?? 0),
          output: own.output,
        };
  const { factor = 1 } = target;
  const known = rates !== undefined && factor !== "unknown";
  const rate = (of: "input" | "output") =>
    known ? rates[of] * factor : Math.max(book.worstCase[of], (rates?.[of] ?? 0) * DEAREST_FACTOR);
  return {
    inputNano: Math.ceil(atRate(input, rate("input"))),
    outputNano: Math.ceil(atRate(output, rate("output"))),
    known,
  };
}

function dearest(
  input: number,
  price: ModelPrice | undefined,
): { input: number; output: number } | undefined {
  if (price === undefined) return undefined;
  const highest = (keys: RegExp) =>
    Object.entries(price).reduce((most, [key, rate]) => {
      if (rate === undefined || !keys.test(key)) return most;
      if (typeof rate === "number") return Math.max(most, rate);
      const tiers = rate.tiers.filter(({ start }) => start <= input).map((tier) => tier.price);
      return Math.max(most, rate.base, ...tiers);
    }, 0);
  return {
    input: highest(/^(?:input|cache).*_mtok$/),
    output: highest(/^output.*_mtok$/),
  };
}

export function contextWindow(target: PricedModel): number {
  return listed(target)?.window ?? UNKNOWN_WINDOW;
}

/** Dollars for a million tokens, for the person who reads the table. */
export function shownPrice(
  target: PricedModel,
  book: PriceBook,
): { own: boolean; input?: number; output?: number } {
  const own = ownPrice(target, book.own);
  if (own !== undefined) return { own: true, input: own.input, output: own.output };
  const price = listed(target)?.rates;
  if (price === undefined) return { own: false };
  const input = perMillion(price["input_mtok"]);
  const output = perMillion(price["output_mtok"]);
  return {
    own: false,
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
  };
}

function perMillion(price: number | { base: number } | undefined): number | undefined {
  return typeof price === "object" ? price.base : price;
}

function ownPrice(
  { provider, model }: PricedModel,
  own: readonly PriceOverride[],
): PriceOverride | undefined {
  const name = `${provider}/${model}`;
  const exact = own.find((price) => price.model === name);
  if (exact !== undefined) return exact;
  return own
    .filter((price) => price.model.endsWith("*") && name.startsWith(price.model.slice(0, -1)))
    .toSorted((a, b) => b.model.length - a.model.length)[0];
}

function byOwn(usage: Usage, price: PriceOverride): number {
  const read = usage["cache_read_tokens"] ?? 0;
  const write = usage["cache_write_tokens"] ?? 0;
  const plain = Math.max(0, (usage["input_tokens"] ?? 0) - read - write);
  return Math.ceil(
    atRate(plain, price.input) +
      atRate(read, price.cacheRead ?? price.input) +
      atRate(write, price.cacheWrite ?? price.input) +
      atRate(usage["output_tokens"], price.output),
  );
}

function atRate(tokens: number | undefined, usdPerMillion: number): number {
  return (tokens ?? 0) * usdPerMillion * (NANO / 1_000_000);
}

function byList(usage: Usage, target: PricedModel): number | undefined {
  const provider = listed(target)?.provider;
  if (provider === undefined) return undefined;
  try {
    const price = calcPrice(usage, target.model, { provider });
    return price === null ? undefined : Math.ceil(price.total_price * NANO - 1e-6);
  } catch {
    // Counts that contradict each other have no price.
    return undefined;
  }
}

interface Listed {
  /** With this one model in it. */
  provider: Provider;
  rates: ModelPrice;
  window?: number;
}

/** Models are named by the agent: the memory of them is bounded. */
const MAX_LISTED = 200;
const found = new Map<string, { listed: Listed | undefined; at: number }>();
/** Prices may change with the time of day. */
const FRESH_MS = 60_000;

/**
 * The model's entry in the price data, because a search through all of them takes longer than
 * everything else the ledger does. A server that the data does not name has no price; the model's
 * name alone proves nothing.
 */
function listed({ model, source }: PricedModel): Listed | undefined {
  const key = JSON.stringify([source, model]);
  const known = found.get(key);
  if (known !== undefined && Date.now() - known.at < FRESH_MS) return known.listed;
  if (found.size >= MAX_LISTED) found.clear();
  const fresh = search(model, source);
  found.set(key, { listed: fresh, at: Date.now() });
  return fresh;
}

function search(model: string, source: PricedModel["source"]): Listed | undefined {
  const provider = findProvider(source);
  if (provider === undefined) return undefined;
  try {
    const price = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { provider });
    if (price === null) return undefined;
    const window = price.model.context_window;
    return {
      provider: { ...price.provider, models: [{ ...price.model, match: { starts_with: "" } }] },
      rates: price.model_price,
      ...(window === undefined ? {} : { window }),
    };
  } catch {
    return undefined;
  }
}
