/** OpenAI Responses: https://platform.openai.com/docs/api-reference/responses */
import * as z from "zod";
import { content } from "./content.ts";
import type { Turn } from "./conversation.ts";
import { openaiError } from "./openai-error.ts";
import type { Rendering, StreamEvent, WireFormat } from "./wire.ts";
import { pieces } from "./words.ts";

const item = z.looseObject({
  type: z.string().optional(),
  role: z.string().optional(),
  content: content.optional(),
  output: content.optional(),
});

const body = z.looseObject({
  model: z.string(),
  stream: z.boolean().nullish(),
  input: z.union([
    z.string().transform((text) => [{ type: "message", role: "user", content: plain(text) }]),
    z.array(item),
  ]),
  tools: z.array(z.looseObject({ name: z.string().optional() })).nullish(),
});

export const responses: WireFormat = {
  path: /\/responses$/,
  read(given) {
    const parsed = body.safeParse(given);
    if (!parsed.success) return { ok: false, problem: z.prettifyError(parsed.error) };
    const { model, stream, input, tools } = parsed.data;
    const turns = input.flatMap((entry): Turn[] => {
      if (entry.type === "function_call_output" && "output" in entry) {
        return [{ role: "tool", text: entry.output?.text ?? "" }];
      }
      if (entry.type === "function_call" || entry.role === "assistant") {
        return [{ role: "assistant" }];
      }
      const { text, images } = entry.content ?? plain("");
      return entry.role === "user" ? [{ role: "user", text, images }] : [];
    });
    const names = (tools ?? []).flatMap(({ name }) => name ?? []);
    return { ok: true, question: { model, stream: stream ?? false, turns, tools: names } };
  },
  whole: (rendering) => response(rendering, "completed"),
  stream(rendering) {
    let sequence = 0;
    const event: Emit = (type, data, pause = false) => ({
      text: `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...data })}\n\n`,
      pause,
    });
    const began = response(rendering, "in_progress");
    return [
      event("response.created", { response: began }),
      event("response.in_progress", { response: began }),
      ...(rendering.reply.kind === "text"
        ? textEvents(rendering, rendering.reply.text, event)
        : callEvents(rendering, JSON.stringify(rendering.reply.input), event)),
      event("response.completed", { response: response(rendering, "completed") }),
    ];
  },
  error: openaiError,
};

type Emit = (type: string, data: object, pause?: boolean) => StreamEvent;

function textEvents(rendering: Rendering, text: string, event: Emit): StreamEvent[] {
  const at = { item_id: itemId(rendering), output_index: 0, content_index: 0 };
  const part = { type: "output_text", text: "", annotations: [], logprobs: [] };
  return [
    event("response.output_item.added", { output_index: 0, item: outputItem(rendering, false) }),
    event("response.content_part.added", { ...at, part }),
    ...pieces(text).map((delta) =>
      event("response.output_text.delta", { ...at, delta, logprobs: [] }, true),
    ),
    event("response.output_text.done", { ...at, text, logprobs: [] }),
    event("response.content_part.done", { ...at, part: { ...part, text } }),
    event("response.output_item.done", { output_index: 0, item: outputItem(rendering, true) }),
  ];
}

function callEvents(rendering: Rendering, json: string, event: Emit): StreamEvent[] {
  const at = { item_id: itemId(rendering), output_index: 0 };
  return [
    event("response.output_item.added", { output_index: 0, item: outputItem(rendering, false) }),
    event("response.function_call_arguments.delta", { ...at, delta: json }),
    event("response.function_call_arguments.done", { ...at, arguments: json }),
    event("response.output_item.done", { output_index: 0, item: outputItem(rendering, true) }),
  ];
}

function response(rendering: Rendering, status: "in_progress" | "completed") {
  const done = status === "completed";
  return {
    id: `resp_${rendering.id}`,
    object: "response",
    created_at: rendering.created,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: rendering.model,
    output: done ? [outputItem(rendering, true)] : [],
    parallel_tool_calls: false,
    temperature: null,
    tool_choice: "auto",
    tools: [],
    top_p: null,
    usage: done ? usage(rendering) : null,
  };
}

function outputItem(rendering: Rendering, done: boolean) {
  const { reply } = rendering;
  const common = { id: itemId(rendering), status: done ? "completed" : "in_progress" };
  if (reply.kind === "tool") {
    return {
      ...common,
      type: "function_call",
      call_id: `call_${rendering.id}`,
      name: reply.name,
      arguments: done ? JSON.stringify(reply.input) : "",
    };
  }
  const text = { type: "output_text", text: reply.text, annotations: [], logprobs: [] };
  return { ...common, type: "message", role: "assistant", content: done ? [text] : [] };
}

function itemId({ id, reply }: Rendering): string {
  return reply.kind === "text" ? `msg_${id}` : `fc_${id}`;
}

function usage({ usage: { input, output } }: Rendering) {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

function plain(text: string): z.infer<typeof content> {
  return { text, images: 0, parts: [] };
}
