/** OpenAI Chat Completions: https://platform.openai.com/docs/api-reference/chat */
import * as z from "zod";
import { content } from "./content.ts";
import type { Turn } from "./conversation.ts";
import { openaiError } from "./openai-error.ts";
import type { Rendering, StreamEvent, WireFormat } from "./wire.ts";
import { pieces } from "./words.ts";

const body = z.looseObject({
  model: z.string(),
  stream: z.boolean().nullish(),
  messages: z.array(z.looseObject({ role: z.string(), content })),
  tools: z
    .array(z.looseObject({ function: z.looseObject({ name: z.string() }).optional() }))
    .nullish(),
});

export const chatCompletions: WireFormat = {
  path: /\/chat\/completions$/,
  read(given) {
    const parsed = body.safeParse(given);
    if (!parsed.success) return { ok: false, problem: z.prettifyError(parsed.error) };
    const { model, stream, messages, tools } = parsed.data;
    const turns = messages.flatMap(({ role, content: { text, images } }): Turn[] => {
      if (role === "user") return [{ role, text, images }];
      if (role === "assistant" || role === "tool") return [{ role, text }];
      return [];
    });
    const names = (tools ?? []).flatMap((tool) => tool.function?.name ?? []);
    return { ok: true, question: { model, stream: stream ?? false, turns, tools: names } };
  },
  whole(rendering) {
    const { reply } = rendering;
    const message =
      reply.kind === "text"
        ? { role: "assistant", content: reply.text, refusal: null }
        : { role: "assistant", content: null, refusal: null, tool_calls: [toolCall(rendering)] };
    return {
      ...envelope(rendering, "chat.completion"),
      choices: [{ index: 0, message, logprobs: null, finish_reason: finish(rendering) }],
      usage: usage(rendering),
    };
  },
  stream(rendering) {
    const { reply } = rendering;
    const deltas =
      reply.kind === "text"
        ? pieces(reply.text).map((text) => ({ content: text }))
        : [{ tool_calls: [{ index: 0, ...toolCall(rendering) }] }];
    const choice = (delta: object, finish_reason: string | null, pause = false): StreamEvent =>
      event(
        {
          ...envelope(rendering, "chat.completion.chunk"),
          choices: [{ index: 0, delta, logprobs: null, finish_reason }],
        },
        pause,
      );
    return [
      choice({ role: "assistant", content: reply.kind === "text" ? "" : null }, null),
      ...deltas.map((delta) => choice(delta, null, true)),
      choice({}, finish(rendering)),
      event({
        ...envelope(rendering, "chat.completion.chunk"),
        choices: [],
        usage: usage(rendering),
      }),
      { text: "data: [DONE]\n\n", pause: false },
    ];
  },
  error: openaiError,
};

function event(data: object, pause = false): StreamEvent {
  return { text: `data: ${JSON.stringify(data)}\n\n`, pause };
}

function envelope({ id, created, model }: Rendering, object: string) {
  return { id: `chatcmpl-${id}`, object, created, model };
}

function toolCall({ id, reply }: Rendering) {
  if (reply.kind === "text") return {};
  const { name, input } = reply;
  return {
    id: `call_${id}`,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  };
}

function finish({ reply }: Rendering): string {
  return reply.kind === "text" ? "stop" : "tool_calls";
}

function usage({ usage: { input, output } }: Rendering) {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}
