/**
 * Excerpts of what is said in a call, for an admin who switched that on: the end of the last message
 * that goes out, the beginning of what comes back. Bounded, cleared of secrets. Reads along only.
 */
import type { CallTexts } from "../../protocol/spend.ts";
import { type Redact, withoutCredentials } from "../redaction.ts";
import { isObject, parseObject, type Json } from "./json.ts";
import { member, type Members } from "./json-members.ts";
import type { WireName } from "./wire.ts";

/** Characters of each side. */
const MAX_EXCERPT = 4000;
/** Longer than any secret: as much is dropped at a cut, once the rest is cleared of whole ones. */
const MARGIN = 4096;
const MAX_KEPT = MAX_EXCERPT + 2 * MARGIN;
/** Deep enough for every format; content that is nested further is nobody's text. */
const MAX_DEPTH = 6;
const MESSAGES = ["messages", "input", "contents"] as const;
/** Members whose text somebody said, or a tool was told. */
const SAID = new Set(["text", "thinking", "content", "arguments", "partial_json", "output"]);

export class Excerpt {
  readonly #prompt: string;
  readonly #wire: WireName;
  readonly #redact: Redact;
  #answer = "";

  constructor(wire: WireName, members: Members, redact: Redact) {
    this.#wire = wire;
    this.#redact = redact;
    const prompt = promptOf(members);
    const kept = this.#cleared(prompt.slice(-MAX_KEPT));
    // The rest of a secret that the cut went through is within the margin.
    this.#prompt = (prompt.length > MAX_KEPT ? kept.slice(MARGIN) : kept).slice(-MAX_EXCERPT);
  }

  /** One event's data, or a whole body. */
  hear(data: string): void {
    if (this.#answer.length > MAX_KEPT) return;
    const values = data.startsWith("[") ? arrayOf(data) : [parseObject(data)];
    for (const value of values)
      if (value !== undefined) this.#answer += answerIn(value, this.#wire);
  }

  get texts(): CallTexts {
    const kept = this.#cleared(this.#answer.slice(0, MAX_KEPT));
    const sure = this.#answer.length > MAX_KEPT ? kept.slice(0, -MARGIN) : kept;
    return { prompt: this.#prompt, answer: sure.slice(0, MAX_EXCERPT) };
  }

  #cleared(text: string): string {
    return withoutCredentials(this.#redact(text));
  }
}

function promptOf(members: Members): string {
  for (const name of MESSAGES) {
    const value = member(members, name);
    if (typeof value === "string") return value;
    if (Array.isArray(value)) return said(value.at(-1), 0);
  }
  return "";
}

function answerIn(data: Json, wire: WireName): string {
  switch (wire) {
    case "messages":
      return data["type"] === "content_block_delta"
        ? said(data["delta"], 0)
        : whole(data, "content");
    case "chat":
      return list(data["choices"])
        .map((choice) => (isObject(choice) ? said(choice["delta"] ?? choice["message"], 0) : ""))
        .join("");
    case "responses":
      if (typeof data["type"] === "string") {
        const { delta } = data;
        return data["type"].endsWith(".delta") && typeof delta === "string" ? delta : "";
      }
      return whole(data, "output");
    case "gemini":
    case "gemini-stream":
      return list(data["candidates"])
        .map((candidate) => (isObject(candidate) ? said(candidate["content"], 0) : ""))
        .join("");
    default:
      return "";
  }
}

function whole(data: Json, name: string): string {
  return Array.isArray(data[name]) ? said(data[name], 0) : "";
}

/** The texts below a value, in their order. */
function said(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) return "";
  if (Array.isArray(value)) return value.map((each) => said(each, depth + 1)).join("");
  if (!isObject(value)) return "";
  return Object.entries(value)
    .map(([name, inner]) => {
      if (typeof inner === "string") return SAID.has(name) ? inner : "";
      return said(inner, depth + 1);
    })
    .join("");
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function arrayOf(text: string): Json[] {
  try {
    return list(JSON.parse(text)).filter(isObject);
  } catch {
    return [];
  }
}
