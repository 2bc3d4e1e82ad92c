/**
 * What a metered call says about its own cost before it is made. Fails closed: a body that cannot
 * be read this way is not sent, because nobody could say what it may cost.
 */
import { choicesAsked, count, loweredLimits, outputLimit } from "./asked-output.ts";
import { channelIn } from "./channel.ts";
import { inlinePictures } from "./inline-pictures.ts";
import { inputFacts } from "./input-bound.ts";
import { isObject } from "./json.ts";
import { member, withMembers, type Members } from "./json-members.ts";
import { feesAsked, modeAsked, searchesAlways, type Fee, type Mode } from "./surcharges.ts";
import type { WireName } from "./wire.ts";

export interface CallFacts {
  wire: WireName;
  model: string;
  stream: boolean;
  /** A token is at least one byte of the body; the rest is what providers add of their own. */
  inputBytes: number;
  /** It names content that is kept elsewhere, or tools that fetch some: the body's size says little. */
  remote: boolean;
  /** Absent: none. */
  images?: number;
  /** For all choices together, absent when the request names no limit. */
  outputAsked?: number;
  choices: number;
  /** Below this limit (of one choice) the provider would refuse the request. */
  leastOutput: number;
  /** Absent: the usual one. */
  mode?: Mode;
  /** Absent: none. */
  fees?: Fee[];
  /** As the agent's prompt names it: said by the sandbox, so good for sums and for nothing else. */
  channel?: string;
}

/** Tool use, safety and formatting prompts of the providers' own. */
const OWN_PROMPT_TOKENS = 2048;
const LEAST_OUTPUT = 64;

const latin1 = new TextDecoder("latin1");

export function callFacts(
  wire: WireName,
  pathModel: string | undefined,
  members: Members,
): CallFacts | undefined {
  const model = pathModel ?? member(members, "model");
  if (typeof model !== "string" || model === "" || model.length > 200) return undefined;
  if (namesOtherModels(members, model)) return undefined;
  const choices = choicesAsked(wire, members);
  const output = outputLimit(wire, members);
  if (choices === undefined || output === "unreadable") return undefined;
  const text = latin1.decode(members.bytes);
  const input = inputFacts(text);
  const inline = input.images === 0 ? undefined : inlinePictures(members);
  const images = Math.max(input.images, inline?.count ?? 0);
  const channel = channelIn(text);
  const remote = input.remote || searchesAlways(model);
  // The tools are long, and of interest only where one of them is the provider's own.
  const fees = remote ? feesAsked(wire, model, members) : [];
  const mode = modeAsked(members);
  return {
    wire,
    model,
    stream: wire === "gemini-stream" || member(members, "stream") === true,
    inputBytes: members.bytes.byteLength - (inline?.bytes ?? 0) + OWN_PROMPT_TOKENS,
    remote,
    ...(images === 0 ? {} : { images }),
    ...(output.limit === undefined ? {} : { outputAsked: output.limit * choices }),
    choices,
    leastOutput: Math.max(LEAST_OUTPUT, thinkingBudget(members) + 1),
    ...(Object.keys(mode).length === 0 ? {} : { mode }),
    ...(fees.length === 0 ? {} : { fees }),
    ...(channel === undefined ? {} : { channel }),
  };
}

export interface Wanted {
  model: string;
  /** For all choices together; absent: as asked. */
  outputLimit?: number;
  /** Limit that the server is certain to follow; undefined: all of them. */
  obeyed: string | undefined;
}

/** What has to change in the body for another model, a lower limit, or a stream that tells its usage. */
export function changedBody(
  facts: CallFacts,
  members: Members,
  wanted: Wanted,
): Uint8Array<ArrayBuffer> {
  const changes: Record<string, unknown> = {};
  if (members.spans.has("model") && wanted.model !== facts.model) changes["model"] = wanted.model;
  const most = wanted.outputLimit ?? limitUnheard(facts, members, wanted.obeyed);
  if (most !== undefined) {
    const limit = Math.floor(most / facts.choices);
    Object.assign(changes, loweredLimits(facts.wire, members, limit, wanted.obeyed));
  }
  if (facts.wire === "chat" && facts.stream) Object.assign(changes, usageWanted(members));
  return Object.keys(changes).length === 0 ? members.bytes : withMembers(members, changes);
}

/** What is reserved for a limit that is named where the server may not look for it. */
function limitUnheard(
  { wire, outputAsked }: CallFacts,
  members: Members,
  obeyed: string | undefined,
): number | undefined {
  const heard =
    wire !== "chat" || obeyed === undefined || count(member(members, obeyed)) !== undefined;
  return heard ? undefined : outputAsked;
}

/** Without it the stream of Chat Completions ends without a word about its usage. */
function usageWanted(members: Members): Record<string, unknown> {
  const options = member(members, "stream_options");
  const given = isObject(options) ? options : {};
  if (given["include_usage"] === true) return {};
  return { stream_options: { ...given, include_usage: true } };
}

/** Another model may cost more than the one that is reserved for, and no admin chose it. */
function namesOtherModels(members: Members, model: string): boolean {
  return ["models", "fallbacks"].some((name) => {
    const others = member(members, name);
    if (others === undefined || others === null) return members.spans.has(name) && others !== null;
    return !Array.isArray(others) || others.some((other) => modelOf(other) !== model);
  });
}

function modelOf(value: unknown): unknown {
  return isObject(value) ? value["model"] : value;
}

function thinkingBudget(members: Members): number {
  const thinking = member(members, "thinking");
  return (isObject(thinking) ? count(thinking["budget_tokens"]) : undefined) ?? 0;
}
