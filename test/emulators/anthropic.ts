/**
 * Anthropic's API as its public reference describes it: https://docs.claude.com/en/api/messages,
 * …/api/messages-count-tokens, …/api/models-list, …/api/errors and …/build-with-claude/streaming.
 *
 * A request with tools is answered with a call of the first one, any other with text.
 */
import { z } from "zod";
import { jsonAnswer, startEmulator, streamAnswer } from "../support/ai-emulator.ts";
import type { Answer, Emulator, Recorded } from "../support/ai-emulator.ts";

const HEADERS = {
  "request-id": "req_011CSHoEeqs5C35K2UUqR7Fy",
  "anthropic-ratelimit-requests-remaining": "49",
  "anthropic-organization-id": "1b2c3d4e-org",
  "set-cookie": "__cf_bm=tracking; path=/; HttpOnly",
};

const request = z.looseObject({
  model: z.string(),
  max_tokens: z.number(),
  stream: z.boolean().optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
});

export function startAnthropic(): Promise<Emulator> {
  return startEmulator({ answer, error });
}

function answer(recorded: Recorded): Answer {
  const path = recorded.path.replace(/\?.*$/, "");
  if (recorded.headers["anthropic-version"] === undefined) {
    return error(400, "anthropic-version: header is required");
  }
  if (recorded.headers["x-api-key"] === undefined)
    return error(401, "x-api-key header is required");
  if (path === "/v1/models") return jsonAnswer(200, MODELS, HEADERS);
  if (path === "/v1/models/claude-opus-5") return jsonAnswer(200, MODEL, HEADERS);
  if (path === "/v1/messages/count_tokens") return jsonAnswer(200, { input_tokens: 14 }, HEADERS);
  if (path !== "/v1/messages") return error(404, "Not found");

  const parsed = request.safeParse(JSON.parse(recorded.body.toString("utf8")));
  if (!parsed.success) return error(400, z.prettifyError(parsed.error));
  const { model, stream, tools } = parsed.data;
  const tool = tools?.[0]?.name;
  return stream === true
    ? streamAnswer(events(model, tool), HEADERS)
    : jsonAnswer(200, message(model, tool), HEADERS);
}

const ERROR_TYPES = new Map([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [500, "api_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

function error(status: number, text: string): Answer {
  const type = ERROR_TYPES.get(status) ?? "api_error";
  const body = {
    type: "error",
    error: { type, message: text },
    request_id: HEADERS["request-id"],
  };
  return jsonAnswer(status, body, HEADERS);
}

const MODEL = {
  type: "model",
  id: "claude-opus-5",
  display_name: "Claude Opus 5",
  created_at: "2026-02-04T00:00:00Z",
};
const MODELS = { data: [MODEL], has_more: false, first_id: MODEL.id, last_id: MODEL.id };

const TEXT = ["Hello", "!", " 你好", " 👋"];
const TOOL_ID = "toolu_01T1x1fJ34qAmk2tNTrN7Up6";
const INPUT = ["", '{"location":', ' "San', " Francisco", ', CA"', "}"];
const USAGE = {
  input_tokens: 25,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 15,
  service_tier: "standard",
};

function message(model: string, tool: string | undefined): object {
  const content =
    tool === undefined
      ? { type: "text", text: TEXT.join("") }
      : { type: "tool_use", id: TOOL_ID, name: tool, input: JSON.parse(INPUT.join("")) };
  return {
    id: "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY",
    type: "message",
    role: "assistant",
    model,
    content: [content],
    stop_reason: tool === undefined ? "end_turn" : "tool_use",
    stop_sequence: null,
    usage: USAGE,
  };
}

function events(model: string, tool: string | undefined): string[] {
  const block =
    tool === undefined
      ? { type: "text", text: "" }
      : { type: "tool_use", id: TOOL_ID, name: tool, input: {} };
  const deltas =
    tool === undefined
      ? TEXT.map((text) => ({ type: "text_delta", text }))
      : INPUT.map((partial_json) => ({ type: "input_json_delta", partial_json }));
  const start = {
    ...message(model, tool),
    content: [],
    stop_reason: null,
    usage: { ...USAGE, output_tokens: 1 },
  };
  return [
    event("message_start", { message: start }),
    event("content_block_start", { index: 0, content_block: block }),
    event("ping", {}),
    ...deltas.map((delta) => event("content_block_delta", { index: 0, delta })),
    event("content_block_stop", { index: 0 }),
    event("message_delta", {
      delta: { stop_reason: tool === undefined ? "end_turn" : "tool_use", stop_sequence: null },
      usage: { output_tokens: 15 },
    }),
    event("message_stop", {}),
  ];
}

function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}
