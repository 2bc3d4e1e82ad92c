/**
 * How much a request lets the model write: the largest limit that it names counts, because servers
 * differ in which one they follow, and all of them are lowered.
 */
import { isObject } from "./json.ts";
import { find, member, type Members } from "./json-members.ts";
import type { AiConfig, ProviderId } from "./providers.ts";
import { WIRE, type WireName } from "./wire.ts";

/** Of one choice; undefined when the request names none. */
export function outputLimit(
  wire: WireName,
  members: Members,
): { limit: number | undefined } | "unreadable" {
  const named = limitsNamed(wire, members);
  if (named === undefined) return "unreadable";
  const counts = named.map(({ value }) => count(value));
  if (counts.includes(undefined)) return "unreadable";
  const limits = counts.flatMap((limit) => limit ?? []);
  return { limit: limits.length === 0 ? undefined : Math.max(...limits) };
}

/** Undefined when it is no number that could be one. */
export function choicesAsked(wire: WireName, members: Members): number | undefined {
  const path = WIRE[wire].choices;
  const found = path === undefined ? { value: undefined } : find(members, path);
  if (found === undefined) return undefined;
  return found.value === undefined || found.value === null ? 1 : count(found.value);
}

/** OpenAI's own models refuse the older name, wherever they are. */
const OPENAI_ELSEWHERE = /\.azure\.com|azure-api\.net/;

/** What such a server is certain to obey in Chat Completions: Ollama and llama.cpp pass over the newer name. */
export function limitObeyed(provider: ProviderId, { openai }: AiConfig): string | undefined {
  const older =
    provider === "workers-ai" ||
    (provider === "openai" &&
      openai?.compatible === true &&
      !OPENAI_ELSEWHERE.test(openai.baseUrl));
  return older ? "max_tokens" : undefined;
}

/** @param obeyed the limit that the server follows, where it is not certain to know the usual one */
export function loweredLimits(
  wire: WireName,
  members: Members,
  limit: number,
  obeyed?: string,
): Record<string, unknown> {
  const named = (limitsNamed(wire, members) ?? []).map(({ path }) => path);
  const [usual = ""] = WIRE[wire].outputLimits;
  if (obeyed !== undefined && WIRE[wire].outputLimits.includes(obeyed)) {
    if (!named.some(([name]) => name === obeyed)) named.push([obeyed]);
  } else if (named.length === 0) named.push(find(members, usual)?.path ?? []);
  const changes: Record<string, unknown> = {};
  for (const [outer = "", inner] of named) {
    const around = member(members, outer);
    changes[outer] =
      inner === undefined ? limit : { ...(isObject(around) ? around : {}), [inner]: limit };
  }
  return changes;
}

function limitsNamed(wire: WireName, members: Members) {
  const found = WIRE[wire].outputLimits.map((path) => find(members, path));
  if (found.includes(undefined)) return undefined;
  return found.flatMap((each) =>
    each === undefined || each.value === undefined || each.value === null ? [] : each,
  );
}

export function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
