/**
 * What a call used, told by the provider itself: from the events of a stream or from the body.
 * Reads along; it never changes, holds back or refuses a byte.
 */
import { extractUsage, findProvider, type Usage } from "@pydantic/genai-prices";
import { isObject, parseObject, type Json } from "./json.ts";
import { WIRE, type WireName } from "./wire.ts";

export interface UsageReport {
  /** The provider's own counts, as the price data names them. */
  usage?: Usage;
  model?: string;
  /** Dollars, where the provider names its price itself. */
  usd?: number;
  /** The counts are the whole of the call. */
  final: boolean;
  failed: boolean;
  /** Upper bound of the visible output's tokens. */
  textBytes: number;
}

export class UsageMeter {
  readonly #wire: WireName;
  readonly #report: UsageReport = { final: false, failed: false, textBytes: 0 };
  #counts: Json | undefined;

  constructor(wire: WireName) {
    this.#wire = wire;
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
    return { ...this.#report, ...(usage === undefined ? {} : { usage }) };
  }

  #hear(data: Json): void {
    const heard = WIRE[this.#wire].hear(data);
    const report = this.#report;
    report.textBytes += heard.textBytes ?? 0;
    report.failed ||= heard.failed ?? false;
    report.final ||= heard.final ?? false;
    if (heard.model !== undefined) report.model = heard.model;
    if (heard.usage === undefined) return;
    const told = Object.entries(heard.usage).filter(([, value]) => value !== null);
    this.#counts = { ...this.#counts, ...Object.fromEntries(told) };
    const { cost } = this.#counts;
    if (typeof cost === "number" && cost >= 0) report.usd = cost;
  }

  #usage(): Usage | undefined {
    if (this.#counts === undefined) return undefined;
    const { provider: providerId, flavour, member } = WIRE[this.#wire].usage;
    const provider = findProvider({ providerId });
    if (provider === undefined) return undefined;
    try {
      const body = { model: "m", modelVersion: "m", [member]: this.#counts };
      return plausible(extractUsage(provider, body, flavour).usage);
    } catch {
      return undefined;
    }
  }
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
