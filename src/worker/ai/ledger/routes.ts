/** Which models there are, which of them the agent uses, in which order, and at what price. */
import type { RoutingSettings } from "../../../protocol/spend-settings.ts";
import type { ModelsOverview, PriceTable, RoutingReply } from "../../../protocol/spend.ts";
import type { Circuits } from "../circuit.ts";
import type { WireName } from "../wire.ts";
import { isReady, parseRef, refOf, spokenTo, wiresOf } from "../plan.ts";
import { PRICE_DATE, PRICE_SOURCE, shownPrice, type PricedModel } from "../price.ts";
import { PROVIDERS, providerOf, type AiConfig, type Provider } from "../providers.ts";
import type { Refused } from "./calls.ts";
import type { SettingsStore } from "./settings.ts";

const FORMATS: Record<WireName, string> = {
  messages: "Anthropic Messages",
  chat: "OpenAI Chat Completions",
  responses: "OpenAI Responses",
  embeddings: "OpenAI Embeddings",
  gemini: "Gemini",
  "gemini-stream": "Gemini",
  "gemini-embedding": "Gemini",
};

export interface RoutesParts {
  config: AiConfig;
  /** `provider/model` that the agent is configured with. */
  configured: string;
  settings: SettingsStore;
  circuits: Circuits;
}

export class Routes {
  readonly #parts: RoutesParts;

  constructor(parts: RoutesParts) {
    this.#parts = parts;
  }

  overview(now: number): ModelsOverview {
    const { configured } = this.#parts;
    const routing = this.#parts.settings.routing;
    const routed = [configured, routing.primary ?? configured, ...routing.fallbacks];
    return {
      configured,
      routing,
      unfit: routing.fallbacks.filter((ref) => this.#unfit(ref, this.primary) !== undefined),
      providers: PROVIDERS.map((provider) => this.#shown(provider, routed, now)),
    };
  }

  set(routing: RoutingSettings): RoutingReply | Refused {
    const { primary = this.#parts.configured, fallbacks } = routing;
    if (routing.primary !== undefined) {
      const reason = this.#missing(routing.primary);
      if (reason !== undefined) return { ok: false, reason };
    }
    for (const ref of fallbacks) {
      const unfit = this.#unfit(ref, primary);
      if (unfit !== undefined) return { ok: false, ...unfit };
    }
    this.#parts.settings.routing = routing;
    return { ok: true, routing, afterRestart: !this.#atOnce(routing.primary) };
  }

  /** The model the agent is to be started with. */
  get primary(): string {
    return this.#parts.settings.routing.primary ?? this.#parts.configured;
  }

  prices(used: readonly { provider: string; model: string }[]): PriceTable {
    const { prices: own, worstCase } = this.#parts.settings.spend;
    const { configured } = this.#parts;
    const { primary, fallbacks } = this.#parts.settings.routing;
    const refs = new Set([
      ...used.map(refOf),
      configured,
      ...(primary ? [primary] : []),
      ...fallbacks,
    ]);
    return {
      source: PRICE_SOURCE,
      date: PRICE_DATE,
      models: [...refs].flatMap((ref) => {
        const candidate = parseRef(ref);
        if (candidate === undefined) return [];
        const target = { ...candidate, source: sourceOf(candidate.provider, this.#parts.config) };
        return [{ model: ref, ...shownPrice(target, { own, worstCase }) }];
      }),
    };
  }

  #shown(
    provider: Provider,
    routed: readonly string[],
    now: number,
  ): ModelsOverview["providers"][0] {
    const untils = routed
      .filter((ref) => ref.startsWith(`${provider.id}/`))
      .flatMap((ref) => this.#parts.circuits.skippedUntil(ref, now) ?? []);
    return {
      id: provider.id,
      title: provider.title,
      ready: isReady(provider, this.#parts.config),
      settings: provider.settings,
      wires: wiresOf(provider),
      route: wayOf(provider.id, this.#parts.config),
      ...(untils.length === 0 ? {} : { skippedUntil: Math.max(...untils) }),
    };
  }

  /** Why no call can go to that model. */
  #missing(ref: string): string | undefined {
    const provider = providerOf(parseRef(ref)?.provider ?? "");
    if (provider === undefined) return `${ref} names no known provider.`;
    if (isReady(provider, this.#parts.config)) return undefined;
    return `${ref} cannot be used yet: set ${provider.settings}.`;
  }

  /** Why that model would never take over for the other. */
  #unfit(ref: string, primary: string): Omit<Refused, "ok"> | undefined {
    const { config } = this.#parts;
    const missing = this.#missing(ref);
    if (missing !== undefined) return { reason: missing };
    const [from, to] = [primary, ref].map((each) => parseRef(each)?.provider);
    const [asked, provider] = [providerOf(from ?? ""), providerOf(to ?? "")];
    if (asked === undefined || provider === undefined) return undefined;
    const wire = spokenTo(asked.id, config);
    if (wiresOf(provider).includes(wire)) return undefined;
    const able = PROVIDERS.filter((each) => wiresOf(each).includes(wire));
    return {
      code: "fallback_format",
      reason: `${ref} cannot stand in for ${primary}, which the agent asks in the format ${FORMATS[wire]}: ${able.map(({ title }) => title).join(", ")} can.`,
    };
  }

  /** Both speak one wire format, so that calls for the one can go to the other. */
  #atOnce(primary: string | undefined): boolean {
    const wires = (ref: string) => providerOf(parseRef(ref)?.provider ?? "");
    const [to, from] = [wires(primary ?? this.#parts.configured), wires(this.#parts.configured)];
    if (to === undefined || from === undefined || to === from) return true;
    return wiresOf(from).every((wire) => wiresOf(to).includes(wire) || wire.includes("embedding"));
  }
}

/** How the price data finds a model of that provider. */
export function sourceOf(id: string, config: AiConfig): PricedModel["source"] {
  const { openai } = config;
  if (id === "openai" && openai?.compatible === true) return { providerApiUrl: openai.baseUrl };
  return { providerId: providerOf(id)?.pricesId ?? "-" };
}

export function wayOf(id: string, config: AiConfig): "direct" | "cloudflare" {
  return providerOf(id)?.upstream(config)?.gateway === undefined ? "direct" : "cloudflare";
}
