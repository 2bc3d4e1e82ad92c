/** Which models there are, which of them the agent uses, in which order, and at what price. */
import type { RoutingSettings } from "../../../protocol/spend-settings.ts";
import type { ModelsOverview, PriceTable, RoutingReply } from "../../../protocol/spend.ts";
import type { Circuits } from "../circuit.ts";
import { isReady, parseRef, refOf, wiresOf } from "../plan.ts";
import { PRICE_DATE, PRICE_SOURCE, shownPrice, type PricedModel } from "../price.ts";
import { PROVIDERS, providerOf, type AiConfig, type Provider } from "../providers.ts";
import type { SettingsStore } from "./settings.ts";

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
      providers: PROVIDERS.map((provider) => this.#shown(provider, routed, now)),
    };
  }

  set(routing: RoutingSettings): RoutingReply | { ok: false; reason: string } {
    for (const ref of [
      ...(routing.primary === undefined ? [] : [routing.primary]),
      ...routing.fallbacks,
    ]) {
      const provider = providerOf(parseRef(ref)?.provider ?? "");
      if (provider === undefined) return { ok: false, reason: `${ref} names no known provider.` };
      if (!isReady(provider, this.#parts.config)) {
        return { ok: false, reason: `${ref} cannot be used yet: set ${provider.settings}.` };
      }
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
