/**
 * What a call used, told by the provider itself: from the events of a stream or from the body.
 * Reads along; it never changes, holds back or refuses a byte.
 */
import { extractUsage, findProvider, type Provider, type Usage } from "@pydantic/genai-prices";
import { isObject, parseObject, type Json } from "./json.ts";
import type { PricedModel } from "./price.ts";
import { usdOfFees, type Fee, type Mode, type Uses } from "./surcharges.ts";
import { WIRE, type WireName } from "./wire.ts";

/** What is known of the call before its answer. */
export interface Metered {
  wire: WireName;
  /** Whose price data it is that says how usage is read. */
  source: PricedModel["source"];
  /** How many answers were asked for; 1 where the request says nothing. */
  choices?: number;
  mode?: Mode;
  fees?: readonly Fee[];
}

export interface UsageReport {
  /** The provider's own counts, as the price data names them. */
  usage?: Usage;
  model?: string;
  /** Dollars, where the provider names its price itself. */
  usd?: number;
  /** How it was served: as the answer says, or else as it was asked. */
  mode: Mode;
  /** Dollars for uses of the provider's own tools. */
  feesUsd: number;
  /** The counts are the whole of the call. */
  final: boolean;
  failed: boolean;
}

export class UsageMeter {
  readonly #call: Metered;
  #counts: Json | undefined;
  #uses: Uses | undefined;
  #mode: Mode;
  #model: string | undefined;
  #ended = false;
  readonly #finished = new Set<number>();
  #failed = false;

  constructor(call: Metered) {
    this.#call = call;
    this.#mode = call.mode ?? {};
  }

  /** One event's data, or a whole body. */
  hear(text: string): void {
    if (text.startsWith("[")) {
      // Gemini's stream without `alt=sse` is one array.
      for (const element of array(text)) this.#hear(element);
      return;
    }
    const data = parseObject(text);
    if (data !== undefined) this.#hear(data);
  }

  report(): UsageReport {
    const usage = this.#usage();
    const usd = this.#counts && priceTold(this.#counts);
    const final = this.#ended && usage !== undefined;
    return {
      final,
      failed: this.#failed,
      mode: this.#mode,
      feesUsd: usdOfFees(this.#call.fees ?? [], final ? this.#uses : undefined),
      ...(usage === undefined ? {} : { usage }),
      ...(usd === undefined ? {} : { usd }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
    };
  }

  #hear(data: Json): void {
    const heard = WIRE[this.#call.wire].hear(data);
    this.#failed ||= heard.failed ?? false;
    for (const number of heard.finished ?? []) this.#finished.add(number);
    const all = this.#finished.size >= (this.#call.choices ?? 1);
    this.#ended ||= all || heard.ended === true;
    this.#mode = { ...this.#mode, ...heard.mode };
    this.#model = heard.model ?? this.#model;
    if (heard.uses !== undefined) this.#uses = most(this.#uses ?? {}, heard.uses);
    if (heard.usage === undefined) return;
    const told = Object.entries(heard.usage).filter(([, value]) => value !== null);
    this.#counts = { ...this.#counts, ...Object.fromEntries(told) };
  }

  #usage(): Usage | undefined {
    if (this.#counts === undefined) return undefined;
    const { provider: usual, flavour, member, whole } = WIRE[this.#call.wire].usage;
    const counts = whole?.(this.#counts) ?? this.#counts;
    const body = { model: "m", modelVersion: "m", [member]: counts };
    const flavours = flavour === "chat" ? [flavour, "default"] : [flavour];
    const own = findProvider(this.#call.source);
    return (
      (own && extracted(own, flavours, body)) ??
      extracted(findProvider({ providerId: usual }), [flavour], body)
    );
  }
}

/** As the provider's own numbers are told: some count what others leave out. */
function extracted(
  provider: Provider | undefined,
  flavours: readonly string[],
  body: Json,
): Usage | undefined {
  const names = provider?.extractors?.map((extractor) => extractor.api_flavor) ?? [];
  const flavour = flavours.find((each) => names.includes(each));
  if (provider === undefined || flavour === undefined) return undefined;
  try {
    // What a search costs is counted apart, with the provider's other tools.
    const { web_searches: _searches, ...usage } = extractUsage(provider, body, flavour).usage;
    return plausible(usage);
  } catch {
    return undefined;
  }
}

/** With a key of one's own at OpenRouter, `cost` is its fee alone, and the provider sends another bill. */
function priceTold({ cost, is_byok, cost_details }: Json): number | undefined {
  const upstream = isObject(cost_details) ? cost_details["upstream_inference_cost"] : undefined;
  const parts = is_byok === true ? [cost, upstream] : [cost];
  return parts.reduce<number | undefined>(
    (sum, part) =>
      sum === undefined || typeof part !== "number" || !(part >= 0) ? undefined : sum + part,
    0,
  );
}

/** Some streams tell a running count, some tell it once. */
function most(before: Uses, now: Uses): Uses {
  return {
    ...before,
    ...Object.fromEntries(
      Object.entries(now).map(([kind, uses]) => [
        kind,
        Math.max(uses, before[kind as keyof Uses] ?? 0),
      ]),
    ),
  };
}

/** Counts that are no counts are not believed. */
function plausible(usage: Usage): Usage | undefined {
  const counts = Object.values(usage).filter((count) => count !== undefined);
  return counts.every((count) => Number.isFinite(count) && count >= 0 && count < 1e12)
    ? usage
    : undefined;
}

function array(text: string): Json[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isObject) : [];
  } catch {
    return [];
  }
}
