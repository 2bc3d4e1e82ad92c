/** Anthropic Messages: https://docs.claude.com/en/api/messages and …/build-with-claude/streaming */
import * as z from "zod";
import { content } from "./content.ts";
import type { Turn } from "./conversation.ts";
import type { Rendering, StreamEvent, WireFormat } from "./wire.ts";
import { pieces } from "./words.ts";

const toolResult = z.looseObject({ type: z.literal("tool_result"), content });

const body = z.looseObject({
  model: z.string(),
  max_tokens: z.number().int().positive(),
  stream: z.boolean().nullish(),
  messages: z.array(z.looseObject({ role: z.string(), content })),
  tools: z.array(z.looseObject({ name: z.string().optional() })).nullish(),
});

export const messages: WireFormat = {
  path: /\/messages$/,
  read(given) {
    const parsed = body.safeParse(given);
    if (!parsed.success) return { ok: false, problem: z.prettifyError(parsed.error) };
    const { model, stream, messages: list, tools } = parsed.data;
    const turns = list.flatMap(({ role, content: { text, images, parts } }): Turn[] => {
      if (role === "assistant") return [{ role }];
      const results = parts.flatMap((part): Turn[] => {
        const result = toolResult.safeParse(part);
        return result.success ? [{ role: "tool", text: result.data.content.text }] : [];
      });
      return role === "user" ? results.concat({ role, text, images }) : [];
    });
    const names = (tools ?? []).flatMap(({ name }) => name ?? []);
    return { ok: true, question: { model, stream: stream ?? false, turns, tools: names } };
  },
  whole: (rendering) => ({
    ...message(rendering),
    content: [block(rendering)],
    stop_reason: stopReason(rendering),
    usage: usage(rendering),
  }),
  stream(rendering) {
    const { reply } = rendering;
    const deltas =
      reply.kind === "text"
        ? pieces(reply.text).map((text) => ({ type: "text_delta", text }))
        : [{ type: "input_json_delta", partial_json: JSON.stringify(reply.input) }];
    return [
      event("message_start", { message: { ...message(rendering), content: [] } }),
      event("content_block_start", { index: 0, content_block: emptyBlock(rendering) }),
      event("ping", {}),
      ...deltas.map((delta) => event("content_block_delta", { index: 0, delta }, true)),
      event("content_block_stop", { index: 0 }),
      event("message_delta", {
        delta: { stop_reason: stopReason(rendering), stop_sequence: null },
        usage: { output_tokens: rendering.usage.output },
      }),
      event("message_stop", {}),
    ];
  },
  error: (status, message_) => ({
    type: "error",
    error: { type: ERROR_TYPES.get(status) ?? "api_error", message: message_ },
  }),
};

const ERROR_TYPES = new Map([
  [400, "invalid_request_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
]);

function event(type: string, data: object, pause = false): StreamEvent {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`, pause };
}

function message(rendering: Rendering) {
  return {
    id: `msg_${rendering.id}`,
    type: "message",
    role: "assistant",
    model: rendering.model,
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usage(rendering), output_tokens: 1 },
  };
}

function block({ id, reply }: Rendering) {
  return reply.kind === "text"
    ? { type: "text", text: reply.text }
    : { type: "tool_use", id: `toolu_${id}`, name: reply.name, input: reply.input };
}

function emptyBlock(rendering: Rendering) {
  return rendering.reply.kind === "text"
    ? { type: "text", text: "" }
    : { ...block(rendering), input: {} };
}

function stopReason({ reply }: Rendering): string {
  return reply.kind === "text" ? "end_turn" : "tool_use";
}

function usage({ usage: { input, output } }: Rendering) {
  return {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: output,
  };
}
