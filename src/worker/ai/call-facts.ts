/**
 * What a metered call says about its own cost before it is made. Fails closed: a body that cannot
 * be read this way is not sent, because nobody could say what it may cost.
 */
import { isObject } from "./json.ts";
import { channelIn } from "./channel.ts";
import { member, withMembers, type Members } from "./json-members.ts";
import { WIRE, type WireName } from "./wire.ts";

export interface CallFacts {
  wire: WireName;
  model: string;
  stream: boolean;
  /** A token is at least one byte of the body; the rest is what providers add of their own. */
  inputBytes: number;
  /** It names content that is kept elsewhere, or tools that fetch some: the body's size says little. */
  remote: boolean;
  /** For all choices together, absent when the request names no limit. */
  outputAsked?: number;
  choices: number;
  /** Below this limit (of one choice) the provider would refuse the request. */
  leastOutput: number;
  /** As the agent's prompt names it: said by the sandbox, so good for sums and for nothing else. */
  channel?: string;
}

/** Tool use, safety and formatting prompts of the providers' own. */
const OWN_PROMPT_TOKENS = 2048;
const LEAST_OUTPUT = 64;

const REMOTE = [
  /"(?:previous_response_id|conversation|file_id|cachedContent|container)"\s*:\s*["{]/,
  /"(?:url|image_url|file_url|file_uri|fileUri)"\s*:\s*"(?:https?|gs|s3):/,
  /"type"\s*:\s*"(?:web_search|web_fetch|code_execution|code_interpreter|computer_use|file_search|mcp|image_generation)/,
  /"(?:google_search|googleSearch|url_context|urlContext|code_execution|codeExecution|plugins)"\s*:/,
];
const latin1 = new TextDecoder("latin1");

export function callFacts(
  wire: WireName,
  pathModel: string | undefined,
  members: Members,
): CallFacts | undefined {
  const model = pathModel ?? member(members, "model");
  if (typeof model !== "string" || model === "" || model.length > 200) return undefined;
  const choices = count(choicesOf(wire, members)) ?? 1;
  const limit = limitOf(wire, members);
  if (limit === "unreadable") return undefined;
  const text = latin1.decode(members.bytes);
  const channel = channelIn(text);
  return {
    wire,
    model,
    stream: wire === "gemini-stream" || member(members, "stream") === true,
    inputBytes: members.bytes.byteLength + OWN_PROMPT_TOKENS,
    remote: REMOTE.some((pattern) => pattern.test(text)),
    ...(limit === undefined ? {} : { outputAsked: limit * choices }),
    choices,
    leastOutput: Math.max(LEAST_OUTPUT, thinkingBudget(members) + 1),
    ...(channel === undefined ? {} : { channel }),
  };
}

/** What has to change in the body for another model, a lower limit, or a stream that tells its usage. */
export function changedBody(
  facts: CallFacts,
  members: Members,
  wanted: { model: string; outputLimit?: number },
): Uint8Array<ArrayBuffer> {
  const changes: Record<string, unknown> = {};
  if (members.spans.has("model") && wanted.model !== facts.model) changes["model"] = wanted.model;
  if (wanted.outputLimit !== undefined) {
    const limit = Math.floor(wanted.outputLimit / facts.choices);
    Object.assign(changes, limitChange(facts.wire, members, limit));
  }
  // Without it the stream of this format ends without a word about its usage.
  if (facts.wire === "chat" && facts.stream && !members.spans.has("stream_options")) {
    changes["stream_options"] = { include_usage: true };
  }
  return Object.keys(changes).length === 0 ? members.bytes : withMembers(members, changes);
}

function limitOf(wire: WireName, members: Members): number | undefined | "unreadable" {
  for (const name of WIRE[wire].outputLimits) {
    const value = nested(members, name);
    if (value === undefined || value === null) continue;
    return count(value) ?? "unreadable";
  }
  return undefined;
}

function limitChange(wire: WireName, members: Members, limit: number): Record<string, unknown> {
  const names = WIRE[wire].outputLimits;
  const name = names.find((each) => nested(members, each) !== undefined) ?? names[0];
  if (name === undefined) return {};
  const [outer = "", inner] = name.split(".");
  if (inner === undefined) return { [outer]: limit };
  const around = member(members, outer);
  return { [outer]: { ...(isObject(around) ? around : {}), [inner]: limit } };
}

function nested(members: Members, name: string): unknown {
  const [outer = "", inner] = name.split(".");
  const value = member(members, outer);
  if (inner === undefined) return value;
  return isObject(value) ? value[inner] : undefined;
}

function choicesOf(wire: WireName, members: Members): unknown {
  if (wire === "chat") return member(members, "n");
  const config = member(members, "generationConfig");
  return isObject(config) ? config["candidateCount"] : undefined;
}

function thinkingBudget(members: Members): number {
  const thinking = member(members, "thinking");
  return (isObject(thinking) ? count(thinking["budget_tokens"]) : undefined) ?? 0;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
