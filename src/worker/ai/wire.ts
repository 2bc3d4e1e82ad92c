/**
 * The wire formats that model calls are spoken in, as data: where the request says what it may cost
 * and how the answer says what it did cost. Providers that speak the same one can stand in for each
 * other.
 */
import { isObject, type Json } from "./json.ts";

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
  /** Bytes of text, thinking and tool input; a token is never shorter than one. */
  textBytes?: number;
  /** The usage heard by now is the whole of it. */
  final?: boolean;
  /** The provider tells of a failure in the middle of its stream. */
  failed?: boolean;
}

export interface Wire {
  /** Members of the request that bound the output: all that are there count. */
  outputLimits: readonly string[];
  /** Says for how many answers the request asks. */
  choices?: string;
  /** Such a limit can be added or lowered at the top of the request's body. */
  lowerable: boolean;
  /** What the model may write when the request names no limit. */
  defaultOutput: number;
  /** Name and flavour of the extractor in the price data. */
  usage: { provider: string; flavour: string; member: "usage" | "usageMetadata" };
  hear(data: Json): Heard;
}

const NOTHING: Heard = {};

const messages: Wire = {
  outputLimits: ["max_tokens"],
  lowerable: true,
  defaultOutput: 128_000,
  usage: { provider: "anthropic", flavour: "default", member: "usage" },
  hear(data) {
    const type = data["type"];
    if (type === "content_block_delta") {
      const delta = object(data["delta"]);
      return { textBytes: bytes(delta["text"], delta["thinking"], delta["partial_json"]) };
    }
    if (type === "message_start") return heard(object(data["message"]), "usage", false);
    if (type === "message_delta") return heard(data, "usage", false);
    if (type === "message_stop") return { final: true };
    if (type === "error") return { failed: true };
    return type === "message" ? heard(data, "usage", true) : NOTHING;
  },
};

const chat: Wire = {
  outputLimits: ["max_completion_tokens", "max_tokens"],
  choices: "n",
  lowerable: true,
  defaultOutput: 128_000,
  usage: { provider: "openai", flavour: "chat", member: "usage" },
  hear(data) {
    if (data["error"] !== undefined && data["choices"] === undefined) return { failed: true };
    let textBytes = 0;
    for (const choice of list(data["choices"])) {
      const { delta: given } = object(choice);
      const delta = object(given);
      textBytes += bytes(delta["content"], delta["reasoning"], delta["reasoning_content"]);
      for (const call of list(delta["tool_calls"])) {
        textBytes += bytes(object(object(call)["function"])["arguments"]);
      }
    }
    return { ...heard(data, "usage", true), textBytes };
  },
};

const responses: Wire = {
  outputLimits: ["max_output_tokens"],
  lowerable: true,
  defaultOutput: 128_000,
  usage: { provider: "openai", flavour: "responses", member: "usage" },
  hear(data) {
    const type = data["type"];
    if (typeof type === "string" && type.endsWith(".delta")) {
      return { textBytes: bytes(data["delta"]) };
    }
    if (type === "error") return { failed: true };
    if (typeof type === "string" && data["response"] !== undefined) {
      const ended = /^response\.(completed|incomplete|failed)$/.test(type);
      return {
        ...heard(object(data["response"]), "usage", ended),
        failed: type.endsWith("failed"),
      };
    }
    return data["object"] === "response" ? heard(data, "usage", true) : NOTHING;
  },
};

const embeddings: Wire = {
  outputLimits: [],
  lowerable: false,
  defaultOutput: 0,
  usage: { provider: "openai", flavour: "embeddings", member: "usage" },
  hear: (data) => heard(data, "usage", true),
};

const gemini: Wire = {
  outputLimits: ["generationConfig.maxOutputTokens"],
  choices: "generationConfig.candidateCount",
  lowerable: false,
  defaultOutput: 65_536,
  usage: { provider: "google", flavour: "default", member: "usageMetadata" },
  hear(data) {
    let textBytes = 0;
    let ended = false;
    for (const candidate of list(data["candidates"])) {
      const { content, finishReason } = object(candidate);
      ended ||= typeof finishReason === "string";
      for (const part of list(object(content)["parts"])) {
        const { text, functionCall } = object(part);
        textBytes += bytes(text, functionCall && JSON.stringify(functionCall));
      }
    }
    if (data["error"] !== undefined) return { failed: true };
    const blocked = object(data["promptFeedback"])["blockReason"] !== undefined;
    return { ...heard(data, "usageMetadata", ended || blocked), textBytes };
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

function heard(data: Json, member: string, final: boolean): Heard {
  const usage = data[member];
  const model = data["model"] ?? data["modelVersion"];
  return {
    ...(isObject(usage) ? { usage, final } : {}),
    ...(typeof model === "string" ? { model } : {}),
  };
}

function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

const encoder = new TextEncoder();

function bytes(...texts: unknown[]): number {
  return texts.reduce<number>(
    (sum, text) => sum + (typeof text === "string" ? encoder.encode(text).byteLength : 0),
    0,
  );
}
