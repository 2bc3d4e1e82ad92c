/**
 * Where a call may go, in order. Pure.
 *
 * A place that keeps failing goes to the end instead of away: it is still better than no answer.
 */
import type { RoutingSettings } from "../../protocol/spend-settings.ts";
import type { Candidate } from "./ledger/calls.ts";
import {
  PROVIDERS,
  providerOf,
  type AiConfig,
  type Provider,
  type ProviderId,
} from "./providers.ts";
import type { WireName } from "./wire.ts";

export interface PlanParts {
  config: AiConfig;
  /** `provider/model` that the agent is configured with. */
  configured: string;
  routing: RoutingSettings;
  skipped(candidate: Candidate): boolean;
}

/** Vectors of two models do not compare: an embedding has no stand-in. */
const ALONE: ReadonlySet<WireName> = new Set(["embeddings", "gemini-embedding"]);

export function plan(asked: Candidate, wire: WireName, parts: PlanParts): Candidate[] {
  if (ALONE.has(wire)) return [asked];
  const { routing, configured, config } = parts;
  const primary = routing.primary === undefined ? undefined : parseRef(routing.primary);
  const follows = refOf(asked) === configured && primary !== undefined;
  const wanted = [
    follows && canServe(primary, wire, config) ? primary : asked,
    ...routing.fallbacks.flatMap((ref) => parseRef(ref) ?? []),
  ];
  const seen = new Set<string>();
  const able = wanted.filter((candidate) => {
    const ref = refOf(candidate);
    if (seen.has(ref) || !canServe(candidate, wire, config)) return false;
    seen.add(ref);
    return true;
  });
  if (able.length === 0) return [asked];
  const well = able.filter((candidate) => !parts.skipped(candidate));
  return [...well, ...able.filter((candidate) => !well.includes(candidate))];
}

export function refOf({ provider, model }: { provider: string; model: string }): string {
  return `${provider}/${model}`;
}

export function parseRef(ref: string): Candidate | undefined {
  const slash = ref.indexOf("/");
  const provider = providerOf(ref.slice(0, slash));
  return provider && { provider: provider.id, model: ref.slice(slash + 1) };
}

export function isReady(provider: Provider, config: AiConfig): boolean {
  return provider.upstream(config) !== undefined;
}

export function wiresOf(provider: Provider): WireName[] {
  return [...new Set(provider.endpoints.flatMap(({ wire }) => wire ?? []))];
}

/** The format in which the agent asks each provider; the gateway's configuration says the same. */
const SPOKEN: Record<ProviderId, WireName> = {
  anthropic: "messages",
  openai: "responses",
  google: "gemini-stream",
  openrouter: "chat",
  "workers-ai": "chat",
};

export function spokenTo(id: ProviderId, { openai }: AiConfig): WireName {
  return id === "openai" && openai?.compatible === true ? "chat" : SPOKEN[id];
}

/** The path of that provider at which this wire format is spoken. */
export function pathFor(provider: Provider, wire: WireName, model: string): string | undefined {
  return provider.endpoints.find((endpoint) => endpoint.wire === wire)?.path.replace("{id}", model);
}

function canServe({ provider: id }: Candidate, wire: WireName, config: AiConfig): boolean {
  const provider = PROVIDERS.find((each) => each.id === id);
  return provider !== undefined && isReady(provider, config) && wiresOf(provider).includes(wire);
}
