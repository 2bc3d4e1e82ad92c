/** A place that one call may go to, and how an answer names it. Pure. */
import type { Candidate } from "./ledger/calls.ts";
import { pathFor } from "./plan.ts";
import { providerOf, type AiConfig, type Provider, type Upstream } from "./providers.ts";
import { targetOf } from "./target.ts";
import type { WireName } from "./wire.ts";

/** Where the agent asked. */
export interface MeteredRoute {
  provider: Provider;
  wire: WireName;
  /** Where the path names the model. */
  model?: string;
}

export interface Place {
  candidate: Candidate;
  provider: Provider;
  upstream: Upstream;
  /** Below the provider's base address, with the query. */
  target: string;
}

/** Undefined for a provider that is not set up or does not speak the call's format. */
export function placeFor(
  candidate: Candidate,
  about: { route: MeteredRoute; url: URL; config: AiConfig; firstByteMs: number | undefined },
): Place | undefined {
  const { route, url, config } = about;
  const provider = providerOf(candidate.provider);
  const upstream = provider?.upstream(config);
  if (provider === undefined || upstream === undefined) return undefined;
  const path = pathFor(provider, route.wire, candidate.model);
  if (path === undefined) return undefined;
  const asked = provider === route.provider && candidate.model === route.model;
  const own = url.pathname.slice(route.provider.prefix.length);
  return {
    candidate,
    provider,
    upstream: { ...upstream, firstByteMs: about.firstByteMs ?? upstream.firstByteMs },
    target: targetOf(asked ? own : path, url),
  };
}

/**
 * How long a place may take to its first byte while another one is left. A stream begins soon where
 * all is well; what is not streamed may well take as long as the whole answer.
 *
 * @param about.setMs what an admin set
 */
export function patienceOf(
  upstream: Upstream,
  { setMs, stream }: { setMs: number | undefined; stream: boolean },
): number {
  const usual = stream ? upstream.patienceMs : undefined;
  return Math.min(upstream.firstByteMs, setMs ?? usual ?? upstream.firstByteMs);
}

/** @param trail what came of the attempts before */
export function routeHeader(
  { candidate, upstream }: Place,
  nth: number,
  trail: readonly string[],
): string {
  const after = trail.length === 0 ? "" : `; after=${trail.join(",")}`;
  return `${wayHeader(printable(candidate), upstream, nth)}${after}`;
}

export function wayHeader(name: string, { gateway }: Upstream, nth: number): string {
  return `${name}; way=${gateway === undefined ? "direct" : "cloudflare"}; attempt=${nth}`;
}

/** Of an answer that no provider was asked for. */
export function noRoute(name: string): string {
  return `${name}; way=none; attempt=0`;
}

/** A model's name comes from the agent. */
export function printable({ provider, model }: Candidate): string {
  return `${provider}/${model}`.replace(/[^\x21-\x7e]|[;,]/g, "?").slice(0, 120);
}
