/**
 * The most that a model may write for one answer when the request names no limit. Pure. Fails closed: what
 * the catalogue does not list may write as much as any model of that format.
 */
import { OUTPUT_MAXIMUMS } from "./output-maximums.ts";
import type { PricedModel } from "./price.ts";
import { WIRE, type WireName } from "./wire.ts";

/** A release of a model by its date, as Anthropic and OpenAI write it. */
const RELEASE = /-(?:\d{8}|\d{4}-\d{2}-\d{2})$/;

/** @param beta what a beta allows beyond the model's usual maximum; absent: none is asked for */
export function outputBound(
  { provider, model, source }: PricedModel,
  wire: WireName,
  beta: number | undefined,
): number {
  const { defaultOutput } = WIRE[wire];
  if (beta !== undefined) return Math.max(defaultOutput, beta);
  // What another server serves under that name is another model.
  if (defaultOutput === 0 || !("providerId" in source)) return defaultOutput;
  const known = OUTPUT_MAXIMUMS[provider];
  return known?.get(model) ?? known?.get(model.replace(RELEASE, "")) ?? defaultOutput;
}

/** Tokens; 0 where the beta's name does not say how many. Absent: no beta that lets models write more. */
export function betaOutput(headers: Headers): number | undefined {
  const betas = headers.get("anthropic-beta") ?? "";
  if (!/output-/i.test(betas)) return undefined;
  return Math.max(
    0,
    ...[...betas.matchAll(/output-(\d{1,4})k/gi)].map(([, k]) => Number(k) * 1024),
  );
}
