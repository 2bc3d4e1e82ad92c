import Anthropic, { APIError, APIUserAbortError, RateLimitError } from "@anthropic-ai/sdk";
import OpenAI, { AuthenticationError, RateLimitError as OpenaiRateLimitError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/ai-eventually.ts";
import { ANTHROPIC_KEY, OPENAI_KEY, PLACEHOLDER, startAiRig } from "../support/ai-rig.ts";
import type { AiRig } from "../support/ai-rig.ts";

const HELLO = "Hello! 你好 👋";
/** One red pixel. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==";

let rig: AiRig;
beforeAll(async () => {
  rig = await startAiRig();
});
afterAll(() => rig?.close());

describe("Anthropic's own client", () => {
  const client = (maxRetries = 0) =>
    new Anthropic({ apiKey: PLACEHOLDER, baseURL: `${rig.worker.url}/anthropic`, maxRetries });
  const question = {
    model: "claude-opus-5",
    max_tokens: 1024,
    messages: [{ role: "user" as const, content: "Hello" }],
  };
  const weather = {
    name: "get_weather",
    description: "Weather at a place",
    input_schema: { type: "object" as const, properties: { location: { type: "string" } } },
  };

  it("chats, with the key put in place by the Worker", async () => {
    const message = await client().messages.create(question);
    expect(message.content).toMatchObject([{ type: "text", text: HELLO }]);
    expect(rig.anthropic.last().headers["x-api-key"]).toBe(ANTHROPIC_KEY);
    expect(JSON.stringify(rig.anthropic.last().headers)).not.toContain(PLACEHOLDER);
  });

  it("streams", async () => {
    const pieces: string[] = [];
    const stream = client().messages.stream(question);
    stream.on("text", (piece) => pieces.push(piece));
    const message = await stream.finalMessage();
    expect(pieces.join("")).toBe(HELLO);
    expect(pieces.length).toBeGreaterThan(1);
    expect(message.usage.output_tokens).toBe(15);
  });

  it("calls tools, streamed and not", async () => {
    const input = { location: "San Francisco, CA" };
    const whole = await client().messages.create({ ...question, tools: [weather] });
    const stream = client().messages.stream({ ...question, tools: [weather] });
    const streamed = await stream.finalMessage();
    for (const message of [whole, streamed]) {
      expect(message.stop_reason).toBe("tool_use");
      expect(message.content).toMatchObject([{ type: "tool_use", name: "get_weather", input }]);
    }
  });

  it("sends images and beta headers", async () => {
    await client().beta.messages.create({
      ...question,
      betas: ["context-1m-2025-08-07"],
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
            { type: "text", text: "What is this?" },
          ],
        },
      ],
    });
    const { headers, body } = rig.anthropic.last();
    expect(headers["anthropic-beta"]).toBe("context-1m-2025-08-07");
    expect(body.toString()).toContain(PNG);
  });

  it("sends a context of 5 MB", async () => {
    const text = "长文本 long ".repeat(350_000);
    await client().messages.create({ ...question, messages: [{ role: "user", content: text }] });
    expect(rig.anthropic.last().body.byteLength).toBeGreaterThan(5_000_000);
    expect(JSON.parse(rig.anthropic.last().body.toString()).messages[0].content).toBe(text);
  });

  it("counts tokens and lists models", async () => {
    const { model, messages } = question;
    expect(await client().messages.countTokens({ model, messages })).toEqual({ input_tokens: 14 });
    const { data } = await client().models.list();
    expect(data.map(({ id }) => id)).toEqual(["claude-opus-5"]);
    expect((await client().models.retrieve("claude-opus-5")).display_name).toBe("Claude Opus 5");
  });

  it("sees the provider's errors as the provider's", async () => {
    rig.anthropic.fail({ kind: "error", status: 429, headers: { "retry-after": "7" } });
    const limited = await client()
      .messages.create(question)
      .catch((error: unknown) => error);
    expect(limited).toBeInstanceOf(RateLimitError);
    expect(limited).toMatchObject({ status: 429, error: { error: { type: "rate_limit_error" } } });
    expect(limited instanceof APIError && limited.headers?.get("retry-after")).toBe("7");

    rig.anthropic.keepFailing({ kind: "error", status: 529 });
    await expect(client().messages.create(question)).rejects.toMatchObject({
      status: 529,
      error: { error: { type: "overloaded_error" } },
    });
    rig.anthropic.keepFailing();
  });

  it("retries by its own rules through the Worker", async () => {
    const before = rig.anthropic.requests.length;
    rig.anthropic.fail(
      { kind: "error", status: 500 },
      { kind: "error", status: 529, headers: { "retry-after-ms": "5" } },
    );
    await client(2).messages.create(question);
    expect(rig.anthropic.requests.length - before).toBe(3);
  });

  it("ends the provider's stream when it is cancelled", async () => {
    rig.anthropic.fail({ kind: "endless", afterEvents: 5 });
    const stream = client().messages.stream(question);
    await new Promise<void>((resolve) => stream.once("text", () => resolve()));
    const { cancelled } = rig.anthropic.last();
    expect(cancelled).toBe(false);
    stream.abort();
    await expect(stream.finalMessage()).rejects.toThrow(APIUserAbortError);
    await eventually(() => rig.anthropic.last().cancelled);
  });
});

describe("OpenAI's own client", () => {
  const client = (maxRetries = 0) =>
    new OpenAI({ apiKey: PLACEHOLDER, baseURL: `${rig.worker.url}/openai/v1`, maxRetries });
  const chat = { model: "gpt-5.5", messages: [{ role: "user" as const, content: "Hello" }] };
  const question = { model: "gpt-5.5", input: "Hello" };
  const parameters = { type: "object", properties: { location: { type: "string" } } };

  it("chats, with the key put in place by the Worker", async () => {
    const { choices } = await client().chat.completions.create(chat);
    expect(choices[0]?.message.content).toBe(HELLO);
    expect(rig.openai.last().headers.authorization).toBe(`Bearer ${OPENAI_KEY}`);
    expect(JSON.stringify(rig.openai.last().headers)).not.toContain(PLACEHOLDER);
  });

  it("streams a chat", async () => {
    const stream = await client().chat.completions.create({
      ...chat,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let total = 0;
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? "";
      total = usage?.total_tokens ?? total;
    }
    expect({ text, total }).toEqual({ text: HELLO, total: 29 });
  });

  it("calls tools in a chat, streamed and not", async () => {
    const tools = [{ type: "function" as const, function: { name: "get_weather", parameters } }];
    const whole = await client().chat.completions.create({ ...chat, tools });
    const streamed = await client()
      .chat.completions.stream({ ...chat, tools })
      .finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]?.finish_reason).toBe("tool_calls");
      const call = choices[0]?.message.tool_calls?.[0];
      const args = call?.type === "function" ? call.function.arguments : "";
      expect(JSON.parse(args)).toEqual({ location: "San Francisco, CA" });
    }
  });

  it("asks for a response, streamed and not", async () => {
    expect((await client().responses.create(question)).output_text).toBe(HELLO);
    const types: string[] = [];
    let text = "";
    for await (const event of await client().responses.create({ ...question, stream: true })) {
      types.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    expect(text).toBe(HELLO);
    expect(types.at(0)).toBe("response.created");
    expect(types.at(-1)).toBe("response.completed");
  });

  it("calls tools in a response", async () => {
    const tools = [{ type: "function" as const, name: "get_weather", parameters, strict: false }];
    const { output } = await client()
      .responses.stream({ ...question, tools })
      .finalResponse();
    expect(output).toMatchObject([{ type: "function_call", name: "get_weather" }]);
  });

  it("sends images and a context of 5 MB", async () => {
    const text = "长文本 long ".repeat(350_000);
    const image_url = { url: `data:image/png;base64,${PNG}` };
    await client().chat.completions.create({
      ...chat,
      messages: [
        {
          role: "user",
          content: [
            { type: "image_url", image_url },
            { type: "text", text },
          ],
        },
      ],
    });
    const [image, words] = JSON.parse(rig.openai.last().body.toString()).messages[0].content;
    expect(image.image_url).toEqual(image_url);
    expect(words.text).toBe(text);
  });

  it("embeds and lists models", async () => {
    const { data } = await client().embeddings.create({
      model: "text-embedding-3-small",
      input: "x",
    });
    expect(data[0]?.embedding).toEqual([0.25, -0.5]);
    expect((await client().models.list()).data.map(({ id }) => id)).toEqual(["gpt-5.5"]);
    expect((await client().models.retrieve("gpt-5.5")).owned_by).toBe("openai");
  });

  it("sees the provider's errors as the provider's", async () => {
    rig.openai.fail({ kind: "error", status: 429, headers: { "retry-after": "7" } });
    const limited = await client()
      .responses.create(question)
      .catch((error: unknown) => error);
    expect(limited).toBeInstanceOf(OpenaiRateLimitError);
    expect(limited).toMatchObject({ status: 429, code: "rate_limit_exceeded" });

    rig.openai.fail({ kind: "error", status: 401 });
    await expect(client().chat.completions.create(chat)).rejects.toThrow(AuthenticationError);
  });

  it("ends the provider's stream when it is cancelled", async () => {
    rig.openai.fail({ kind: "endless", afterEvents: 3 });
    const stream = await client().chat.completions.create({ ...chat, stream: true });
    expect(rig.openai.last().cancelled).toBe(false);
    stream.controller.abort();
    await eventually(() => rig.openai.last().cancelled);
  });
});

it("logs no key and no text of a conversation", async () => {
  rig.anthropic.fail({ kind: "error", status: 500 });
  await fetch(`${rig.worker.url}/anthropic/v1/messages`, {
    method: "POST",
    body: "a private question",
  });
  await eventually(() => rig.worker.logs().includes("model call failed"));
  for (const secret of [ANTHROPIC_KEY, OPENAI_KEY, PLACEHOLDER, "private"]) {
    expect(rig.worker.logs()).not.toContain(secret);
  }
});
