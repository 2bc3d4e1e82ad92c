/**
 * The wire formats that model calls are spoken in, as data: where the request says what it may cost
 * and how the answer says what it did cost. Providers that speak the same one can stand in for each
 * other.
 */
import { isObject, type Json } from "./json.ts";
import { asksAnotherModel, withOtherIterations } from "./message-usage.ts";
import type { Mode, Uses } from "./surcharges.ts";

export const WIRES = [
  "messages",
  "chat",
  "responses",
  "embeddings",
  "gemini",
  "gemini-stream",
  "gemini-embedding",
] as const;
export type WireName = (typeof WIRES)[number];

/** What one event of a stream, or the whole body, adds to what is known of a call. */
export interface Heard {
  /** Fields of the provider's usage object; later ones win. */
  usage?: Json;
  model?: string;
  /** The model has ended: the usage heard with this event or before it is the whole of it. */
  ended?: boolean;
  /** Which of the answers that were asked for have ended, by their numbers; the model has with the last. */
  finished?: readonly number[];
  /** The provider tells of a failure in the middle of its stream. */
  failed?: boolean;
  /** How the call is served, where that changes its price. */
  mode?: Mode;
  /** Of the provider's own tools; where a format tells none of them, it is absent. */
  uses?: Uses;
}

export interface Wire {
  /** Members of the request that bound the output: all that are there count. */
  outputLimits: readonly string[];
  /** Says for how many answers the request asks. */
  choices?: string;
  /** Such a limit can be added or lowered at the top of the request's body. */
  lowerable: boolean;
  /** What a model may write when neither the request nor the catalogue names a limit. */
  defaultOutput: number;
  /** Name and flavour of the extractor in the price data. */
  usage: {
    provider: string;
    flavour: string;
    member: "usage" | "usageMetadata";
    /** Adds what the totals leave out. */
    whole?(usage: Json): Json;
  };
  hear(data: Json): Heard;
}

const NOTHING: Heard = {};

const messages: Wire = {
  outputLimits: ["max_tokens"],
  lowerable: true,
  defaultOutput: 128_000,
  usage: {
    provider: "anthropic",
    flavour: "default",
    member: "usage",
    whole: withOtherIterations,
  },
  hear(data) {
    const type = data["type"];
    if (type === "message_start") return ofMessage(object(data["message"]));
    if (type === "message_delta") return ofMessage(data);
    if (type === "message_stop") return { ended: true };
    if (type === "error") return { failed: true };
    return type === "message" ? { ...ofMessage(data), ended: true } : NOTHING;
  },
};

function ofMessage(data: Json): Heard {
  const usage = object(data["usage"]);
  const { speed, inference_geo, server_tool_use } = usage;
  const searches = object(server_tool_use)["web_search_requests"];
  return {
    ...heard(data, "usage"),
    mode: {
      ...(typeof speed === "string" ? { speed } : {}),
      ...(typeof inference_geo === "string" ? { geo: inference_geo } : {}),
      // No tier that has a price: nobody here knows what the other model costs.
      ...(asksAnotherModel(usage) ? { tier: "another model" } : {}),
    },
    uses: { search: typeof searches === "number" ? searches : 0 },
  };
}

const chat: Wire = {
  outputLimits: ["max_completion_tokens", "max_tokens"],
  choices: "n",
  lowerable: true,
  defaultOutput: 128_000,
  usage: { provider: "openai", flavour: "chat", member: "usage" },
  hear(data) {
    if (data["error"] !== undefined && data["choices"] === undefined) return { failed: true };
    // Some servers tell the usage so far with every event; without a choice beside it, it is the whole.
    const choices = list(data["choices"]).map(object);
    const finished = endedOf(choices, "finish_reason");
    const whole = data["object"] === "chat.completion" && finished.length === choices.length;
    const ended = whole || (choices.length === 0 && isObject(data["usage"]));
    return { ...heard(data, "usage"), mode: servedTier(data), ended, finished };
  },
};

const responses: Wire = {
  outputLimits: ["max_output_tokens"],
  lowerable: true,
  defaultOutput: 128_000,
  usage: { provider: "openai", flavour: "responses", member: "usage" },
  hear(data) {
    const type = data["type"];
    if (type === "error") return { failed: true };
    if (data["object"] === "response") return { ...ofResponse(data), ended: true };
    if (typeof type !== "string" || data["response"] === undefined) return NOTHING;
    return {
      ...ofResponse(object(data["response"])),
      ended: /^response\.(completed|incomplete|failed)$/.test(type),
      failed: type.endsWith("failed"),
    };
  },
};

const TOOL_CALLS = new Map<unknown, "search" | "files" | "code" | "image">([
  ["web_search_call", "search"],
  ["x_search_call", "search"],
  ["file_search_call", "files"],
  ["code_interpreter_call", "code"],
  ["shell_call", "code"],
  ["image_generation_call", "image"],
]);

function ofResponse(data: Json): Heard {
  const uses = { search: 0, files: 0, code: 0, image: 0 };
  for (const item of list(data["output"])) {
    const kind = TOOL_CALLS.get(object(item)["type"]);
    if (kind !== undefined) uses[kind] += 1;
  }
  return { ...heard(data, "usage"), mode: servedTier(data), uses };
}

/** `auto` is what was asked, not what was served. */
function servedTier({ service_tier: tier }: Json): Mode {
  return typeof tier === "string" && tier !== "auto" ? { tier } : {};
}

const embeddings: Wire = {
  outputLimits: [],
  lowerable: false,
  defaultOutput: 0,
  usage: { provider: "openai", flavour: "embeddings", member: "usage" },
  hear: (data) => ({ ...heard(data, "usage"), ended: true }),
};

const gemini: Wire = {
  outputLimits: ["generationConfig.maxOutputTokens"],
  choices: "generationConfig.candidateCount",
  lowerable: false,
  defaultOutput: 65_536,
  usage: { provider: "google", flavour: "default", member: "usageMetadata" },
  hear(data) {
    if (data["error"] !== undefined) return { failed: true };
    const candidates = list(data["candidates"]).map(object);
    const queries = candidates.flatMap(({ groundingMetadata }) =>
      list(object(groundingMetadata)["webSearchQueries"]),
    );
    return {
      ...heard(data, "usageMetadata"),
      uses: { search: queries.length },
      finished: endedOf(candidates, "finishReason"),
      ended: object(data["promptFeedback"])["blockReason"] !== undefined,
    };
  },
};

const geminiEmbedding: Wire = {
  ...gemini,
  outputLimits: [],
  defaultOutput: 0,
  // Its answer names no tokens: the request's own size is what is counted.
  hear: () => NOTHING,
};

export const WIRE: Record<WireName, Wire> = {
  messages,
  chat,
  responses,
  embeddings,
  gemini,
  "gemini-stream": gemini,
  "gemini-embedding": geminiEmbedding,
};

function heard(data: Json, member: string): Heard {
  const usage = data[member];
  const model = data["model"] ?? data["modelVersion"];
  return {
    ...(isObject(usage) ? { usage } : {}),
    ...(typeof model === "string" ? { model } : {}),
  };
}

/** The numbers of the answers that say why they ended. */
function endedOf(answers: readonly Json[], reason: string): number[] {
  return answers.flatMap((answer, at) => {
    if (typeof answer[reason] !== "string") return [];
    return typeof answer["index"] === "number" ? answer["index"] : at;
  });
}

function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
