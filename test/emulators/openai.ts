/**
 * OpenAI's API as its public reference describes it:
 * https://platform.openai.com/docs/api-reference/chat, …/chat-streaming, …/responses,
 * …/responses-streaming, …/embeddings, …/models and https://platform.openai.com/docs/guides/error-codes.
 *
 * A request with tools is answered with a call of the first one, any other with text.
 */
import { z } from "zod";
import { jsonAnswer, startEmulator, streamAnswer } from "../support/ai-emulator.ts";
import type { Answer, Emulator, Recorded } from "../support/ai-emulator.ts";

const HEADERS = {
  "x-request-id": "req_7f6a9c0b1d2e3f4a5b6c7d8e9f0a1b2c",
  "x-ratelimit-remaining-requests": "9999",
  "openai-processing-ms": "120",
  "openai-version": "2020-10-01",
  "openai-organization": "org-emulated",
  "set-cookie": "__cf_bm=tracking; path=/; HttpOnly",
};

const tools = z
  .array(
    z.looseObject({
      name: z.string().optional(),
      function: z.looseObject({ name: z.string() }).optional(),
    }),
  )
  .optional();
const request = z.looseObject({ model: z.string(), stream: z.boolean().optional(), tools });
const MODEL = { id: "gpt-5.5", object: "model", created: 1_770_000_000, owned_by: "openai" };

export function startOpenai(): Promise<Emulator> {
  return startEmulator({ answer, error });
}

function answer(recorded: Recorded): Answer {
  const path = recorded.path.replace(/\?.*$/, "");
  if (!/^Bearer \S+$/.test(recorded.headers.authorization ?? "")) {
    return error(401, "You didn't provide an API key.");
  }
  if (path === "/v1/models") {
    return jsonAnswer(200, { object: "list", data: [MODEL] }, HEADERS);
  }
  if (path === "/v1/models/gpt-5.5") return jsonAnswer(200, MODEL, HEADERS);
  if (!["/v1/chat/completions", "/v1/responses", "/v1/embeddings"].includes(path)) {
    return error(404, `Unknown request URL: ${recorded.method} ${path}.`);
  }
  const parsed = request.safeParse(JSON.parse(recorded.body.toString("utf8")));
  if (!parsed.success) return error(400, z.prettifyError(parsed.error));
  const { model, stream, tools: offered } = parsed.data;
  const tool = offered?.[0]?.function?.name ?? offered?.[0]?.name;
  if (path === "/v1/embeddings") return jsonAnswer(200, embedding(model), HEADERS);
  if (path === "/v1/responses") {
    return stream === true
      ? streamAnswer(responseEvents(model, tool), HEADERS)
      : jsonAnswer(200, response(model, tool, true), HEADERS);
  }
  return stream === true
    ? streamAnswer(chunks(model, tool), HEADERS)
    : jsonAnswer(200, completion(model, tool), HEADERS);
}

const ERROR_CODES = new Map([
  [401, "invalid_api_key"],
  [404, "unknown_url"],
  [429, "rate_limit_exceeded"],
]);

function error(status: number, message: string): Answer {
  const type = status >= 500 ? "server_error" : "invalid_request_error";
  const code = ERROR_CODES.get(status) ?? null;
  return jsonAnswer(status, { error: { message, type, param: null, code } }, HEADERS);
}

const TEXT = ["Hello", "!", " 你好", " 👋"];
const INPUT = ['{"location":', '"San Francisco', ', CA"}'];
const CALL_ID = "call_abc123";

function embedding(model: string): object {
  return {
    object: "list",
    // What the client asks for by default: little-endian floats as base64.
    data: [
      {
        object: "embedding",
        index: 0,
        embedding: Buffer.from(new Float32Array([0.25, -0.5]).buffer).toString("base64"),
      },
    ],
    model,
    usage: { prompt_tokens: 8, total_tokens: 8 },
  };
}

const CHAT_USAGE = {
  prompt_tokens: 19,
  completion_tokens: 10,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
};

function completion(model: string, tool: string | undefined): object {
  const call = {
    id: CALL_ID,
    type: "function",
    function: { name: tool, arguments: INPUT.join("") },
  };
  const message =
    tool === undefined
      ? { role: "assistant", content: TEXT.join(""), refusal: null, annotations: [] }
      : { role: "assistant", content: null, refusal: null, tool_calls: [call] };
  return {
    id: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    object: "chat.completion",
    created: 1_770_000_000,
    model,
    choices: [
      {
        index: 0,
        message,
        logprobs: null,
        finish_reason: tool === undefined ? "stop" : "tool_calls",
      },
    ],
    usage: CHAT_USAGE,
    service_tier: "default",
  };
}

function chunks(model: string, tool: string | undefined): string[] {
  const chunk = (choices: object[], usage: object | null) =>
    `data: ${JSON.stringify({
      id: "chatcmpl-123",
      object: "chat.completion.chunk",
      created: 1_770_000_000,
      model,
      system_fingerprint: "fp_44709d6fcb",
      choices,
      usage,
    })}\n\n`;
  const delta = (content: object, finish_reason: string | null = null) =>
    chunk([{ index: 0, delta: content, logprobs: null, finish_reason }], null);
  const call = {
    index: 0,
    id: CALL_ID,
    type: "function",
    function: { name: tool, arguments: "" },
  };
  const pieces =
    tool === undefined
      ? [
          delta({ role: "assistant", content: "", refusal: null }),
          ...TEXT.map((content) => delta({ content })),
        ]
      : [
          delta({ role: "assistant", content: null, tool_calls: [call] }),
          ...INPUT.map((part) =>
            delta({ tool_calls: [{ index: 0, function: { arguments: part } }] }),
          ),
        ];
  return [
    ...pieces,
    delta({}, tool === undefined ? "stop" : "tool_calls"),
    chunk([], CHAT_USAGE),
    "data: [DONE]\n\n",
  ];
}

function outputItem(tool: string | undefined, done: boolean): object {
  const status = done ? "completed" : "in_progress";
  if (tool !== undefined) {
    const json = done ? INPUT.join("") : "";
    return {
      type: "function_call",
      id: "fc_67",
      call_id: CALL_ID,
      name: tool,
      arguments: json,
      status,
    };
  }
  const part = { type: "output_text", text: TEXT.join(""), annotations: [], logprobs: [] };
  return { type: "message", id: "msg_67", status, role: "assistant", content: done ? [part] : [] };
}

function response(model: string, tool: string | undefined, done: boolean): object {
  return {
    id: "resp_67c9fdcecf488190bdd9a0409de3a1ec07b8b0ad4e5eb654",
    object: "response",
    created_at: 1_770_000_000,
    status: done ? "completed" : "in_progress",
    error: null,
    incomplete_details: null,
    instructions: null,
    model,
    output: done ? [outputItem(tool, true)] : [],
    parallel_tool_calls: true,
    previous_response_id: null,
    store: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    usage: done
      ? {
          input_tokens: 37,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: 11,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: 48,
        }
      : null,
    metadata: {},
  };
}

function responseEvents(model: string, tool: string | undefined): string[] {
  let sequence_number = 0;
  const event = (type: string, data: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data, sequence_number: sequence_number++ })}\n\n`;
  const item = { output_index: 0, item: outputItem(tool, false) };
  const call = { item_id: "fc_67", output_index: 0 };
  const text = { item_id: "msg_67", output_index: 0, content_index: 0 };
  const part = { type: "output_text", text: "", annotations: [], logprobs: [] };
  const whole = TEXT.join("");
  return [
    event("response.created", { response: response(model, tool, false) }),
    event("response.in_progress", { response: response(model, tool, false) }),
    event("response.output_item.added", item),
    ...(tool === undefined
      ? [
          event("response.content_part.added", { ...text, part }),
          ...TEXT.map((delta) =>
            event("response.output_text.delta", { ...text, delta, logprobs: [] }),
          ),
          event("response.output_text.done", { ...text, text: whole, logprobs: [] }),
          event("response.content_part.done", { ...text, part: { ...part, text: whole } }),
        ]
      : [
          ...INPUT.map((delta) =>
            event("response.function_call_arguments.delta", { ...call, delta }),
          ),
          event("response.function_call_arguments.done", { ...call, arguments: INPUT.join("") }),
        ]),
    event("response.output_item.done", { output_index: 0, item: outputItem(tool, true) }),
    event("response.completed", { response: response(model, tool, true) }),
  ];
}
