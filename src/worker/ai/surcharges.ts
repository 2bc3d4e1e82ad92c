/**
 * What a call may cost beyond the list price of its tokens: faster or local service, and the uses of
 * the provider's own tools. Pure. Fails closed: a way of service that nobody here knows counts as the
 * configured worst case, and a use that no answer tells counts as made.
 *
 * https://developers.openai.com/api/docs/guides/fast-mode, …/ultrafast-mode, …/pricing;
 * https://platform.claude.com/docs/en/about-claude/pricing, …/build-with-claude/data-residency;
 * https://ai.google.dev/gemini-api/docs/optimization, …/pricing;
 * https://openrouter.ai/docs/web-search. Last compared on 2026-11-26; docs/models.md says with what, and
 * what could not be.
 */
import { isObject } from "./json.ts";
import { find } from "./json-members.ts";
import type { Members } from "./json-members.ts";
import type { WireName } from "./wire.ts";

/** How a call is served, as it was asked for or as the answer says. */
export interface Mode {
  tier?: string;
  speed?: string;
  geo?: string;
}

/** Times the list price. */
export type Factor = number | "unknown";

/** No way of service that is known costs more. */
export const DEAREST_FACTOR = 6;

/** The dearest that is published for any model; a cheaper tier counts as the usual one. */
const TIERS: ReadonlyMap<string, number> = new Map([
  ...["auto", "default", "standard", "standard_only", "unspecified", "flex", "scale", "batch"].map(
    (tier) => [tier, 1] as const,
  ),
  ["on_demand", 1],
  ["priority", 2.5],
  ["fast", 2.5],
  ["ultrafast", DEAREST_FACTOR],
]);
const GEMINI_PRIORITY = 2;
const GEOS: ReadonlyMap<string, number> = new Map([
  ["global", 1],
  ["not_available", 1],
  ["us", 1.1],
]);
/** Claude's first fast models cost six times as much, those after them twice. */
const TWICE_WHEN_FAST = /opus-(?:4[-.]8|5)/;

const UNREADABLE = "?";

export function modeAsked(members: Members): Mode {
  const read = (name: string): string | undefined => {
    const { value } = find(members, name) ?? { value: UNREADABLE };
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value.slice(0, 40) : UNREADABLE;
  };
  const asked = { tier: read("serviceTier"), speed: read("speed"), geo: read("inferenceGeo") };
  return {
    ...(asked.tier === undefined ? {} : { tier: asked.tier }),
    ...(asked.speed === undefined ? {} : { speed: asked.speed }),
    ...(asked.geo === undefined ? {} : { geo: asked.geo }),
  };
}

export function factorOf({ tier, speed, geo }: Mode, wire: string, model: string): Factor {
  const name = tier?.toLowerCase().replace("service_tier_", "");
  const gemini = wire.startsWith("gemini") && name === "priority";
  const factors = [
    gemini ? GEMINI_PRIORITY : TIERS.get(name ?? "auto"),
    speed === undefined || speed === "standard" ? 1 : fastFactor(speed, model),
    GEOS.get(geo ?? "global"),
  ];
  return factors.reduce<Factor>(
    (all, each) => (all === "unknown" || each === undefined ? "unknown" : all * each),
    1,
  );
}

function fastFactor(speed: string, model: string): number | undefined {
  if (speed !== "fast") return undefined;
  return TWICE_WHEN_FAST.test(model) ? 2 : DEAREST_FACTOR;
}

type UseKind = "search" | "maps" | "files" | "code" | "image";
export type Uses = Partial<Record<UseKind, number>>;

/** A tool of the provider's own that a request offers to the model. */
export interface Fee {
  kind: UseKind;
  /** So often at most, as far as anybody can say. */
  uses: number;
  /** Dollars for each. */
  usd: number;
}

/** Where the request names no number; the answer's own count is what is charged. */
const USUAL_USES = { search: 20, maps: 1, files: 20, code: 1, image: 5 } as const;
const DEAREST_SEARCH = 0.05;
/** One result of a search; how many there may be is the request's choice. */
const OPENROUTER_RESULT = 0.004;
const OPENAI_SEARCH = 0.01;
const OPENAI_SEARCH_PREVIEW = 0.025;
const ANTHROPIC_SEARCH = 0.01;
const GOOGLE_SEARCH = 0.035;
const GOOGLE_MAPS = 0.025;
const FILE_SEARCH = 0.0025;
/** An hour in a container. */
const ANTHROPIC_CODE = 0.05;
/** A container. */
const OPENAI_CODE = 0.03;
/** One with the most memory that can be asked for. */
const OPENAI_LARGE_CODE = 1.92;
const IMAGE = 0.5;
const SEARCHES_ALWAYS = /:online\b|-search-(?:preview|api)/;

export function searchesAlways(model: string): boolean {
  return SEARCHES_ALWAYS.test(model);
}

export function feesAsked(wire: WireName, model: string, members: Members): Fee[] {
  const most = find(members, "max_tool_calls")?.value;
  const tools = find(members, "tools")?.value;
  const fees = (Array.isArray(tools) ? tools : [tools]).flatMap((tool) =>
    isObject(tool) ? (feeOfTool(wire, tool, most) ?? []) : [],
  );
  const searches =
    searchesAlways(model) ||
    ["web_search_options", "plugins", "search_parameters"].some((name) => members.spans.has(name));
  const plugins = find(members, "plugins")?.value;
  const usd = Math.max(DEAREST_SEARCH, ...[plugins].flat().map(searchWith));
  return searches ? [...fees, { kind: "search", uses: 1, usd }] : fees;
}

function searchWith(options: unknown): number {
  const results = isObject(options) ? options["max_results"] : undefined;
  const usd = typeof results === "number" ? results * OPENROUTER_RESULT : 0;
  return Math.max(DEAREST_SEARCH, usd);
}

function feeOfTool(wire: WireName, tool: Record<string, unknown>, most: unknown): Fee | undefined {
  const name = String(tool["type"] ?? Object.keys(tool).join(" "));
  const fee = (kind: UseKind, usd: number): Fee => {
    const limit = tool["max_uses"] ?? most;
    const uses = typeof limit === "number" && limit >= 0 ? limit : USUAL_USES[kind];
    return { kind, uses, usd };
  };
  if (wire.startsWith("gemini")) {
    if (/google_?maps/i.test(name)) return fee("maps", GOOGLE_MAPS);
    return /google_?search/i.test(name) ? fee("search", GOOGLE_SEARCH) : undefined;
  }
  if (/web_search_preview/.test(name)) return fee("search", OPENAI_SEARCH_PREVIEW);
  if (/^(?:web_search|x_search)/.test(name)) {
    return fee("search", wire === "messages" ? ANTHROPIC_SEARCH : OPENAI_SEARCH);
  }
  if (/search/.test(name) && name.startsWith("openrouter:")) {
    return fee("search", searchWith(tool["parameters"]));
  }
  if (/^file_?search/i.test(name)) return fee("files", FILE_SEARCH);
  if (/image_generation/.test(name)) return fee("image", IMAGE);
  if (/^(?:code_execution|code_interpreter|shell|bash_code_execution)/.test(name)) {
    if (wire === "messages") return fee("code", ANTHROPIC_CODE);
    const large = JSON.stringify(tool).includes("memory_limit");
    return fee("code", large ? OPENAI_LARGE_CODE : OPENAI_CODE);
  }
  return undefined;
}

/** @param told by the answer; what it does not tell counts as used */
export function usdOfFees(fees: readonly Fee[], told: Uses = {}): number {
  return fees.reduce((sum, { kind, uses, usd }) => sum + (told[kind] ?? uses) * usd, 0);
}
