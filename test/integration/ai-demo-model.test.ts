import { request } from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDemoModel } from "../../src/local/demo-model/server.ts";
import { DEMO_MODEL } from "../../src/protocol/names.ts";
import type { DemoModel } from "../../src/local/demo-model/server.ts";
import { startAiWorker } from "../support/ai-worker.ts";
import type { AiWorker } from "../support/ai-worker.ts";

let demo: DemoModel;
let worker: AiWorker;
beforeAll(async () => {
  demo = await startDemoModel({ wordMs: 1 });
  worker = await startAiWorker({
    openai: { baseUrl: demo.url, compatible: true },
    anthropic: { apiKey: "none-needed", baseUrl: demo.url },
  });
});
afterAll(async () => {
  await worker?.close();
  await demo?.close();
});

const openai = () =>
  new OpenAI({ apiKey: "placeholder", baseURL: `${worker.url}/openai/v1`, maxRetries: 0 });
const anthropic = () =>
  new Anthropic({ apiKey: "placeholder", baseURL: `${worker.url}/anthropic`, maxRetries: 0 });
const model = DEMO_MODEL;
const parameters = { type: "object", properties: {} };
const ASK = 'tool: exec {"command": "uname"}';

describe("the demo model behind the Worker", () => {
  it("lists itself", async () => {
    expect((await openai().models.list()).data.map(({ id }) => id)).toEqual([model]);
    expect((await anthropic().models.list()).data.map(({ id }) => id)).toEqual([model]);
  });

  it("chats in Chat Completions, whole and streamed alike", async () => {
    const body = { model, messages: [{ role: "user" as const, content: "good  morning 你好吗" }] };
    const whole = await openai().chat.completions.create(body);
    const streamed = await openai().chat.completions.stream(body).finalChatCompletion();
    const text = whole.choices[0]?.message.content;
    expect(text).toContain("你说:good  morning 你好吗");
    expect(streamed.choices[0]?.message.content).toBe(text);
    expect(whole.usage?.total_tokens).toBeGreaterThan(20);
  });

  it("chats in Responses, whole and streamed alike", async () => {
    const body = { model, input: "good  morning" };
    const whole = await openai().responses.create(body);
    const streamed = await openai().responses.stream(body).finalResponse();
    expect(whole.output_text).toContain("You said: good  morning");
    expect(streamed.output).toMatchObject([
      { type: "message", content: [{ type: "output_text", text: whole.output_text }] },
    ]);
    expect(streamed.usage?.output_tokens).toBeGreaterThan(20);
  });

  it("chats in Messages, whole and streamed alike", async () => {
    const messages = [{ role: "user" as const, content: "good  morning" }];
    const body = { model, max_tokens: 500, messages };
    const whole = await anthropic().messages.create(body);
    const streamed = await anthropic().messages.stream(body).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(whole.content).toMatchObject([{ text: expect.stringContaining("You said: good") }]);
    expect(streamed.usage.output_tokens).toBeGreaterThan(20);
  });

  it("calls a tool and reports its answer in Chat Completions", async () => {
    const tools = [{ type: "function" as const, function: { name: "exec", parameters } }];
    const asked = { role: "user" as const, content: ASK };
    const first = await openai()
      .chat.completions.stream({ model, messages: [asked], tools })
      .finalChatCompletion();
    const said = first.choices[0]?.message;
    const called = said?.tool_calls?.[0];
    if (said === undefined || called?.type !== "function") throw new Error("no call");
    expect(JSON.parse(called.function.arguments)).toEqual({ command: "uname" });
    const second = await openai().chat.completions.create({
      model,
      tools,
      messages: [
        asked,
        { role: "assistant", content: null, tool_calls: [called] },
        { role: "tool", tool_call_id: called.id, content: "Linux" },
      ],
    });
    expect(second.choices[0]?.message.content).toBe("The tool answered: Linux");
  });

  it("calls a tool and reports its answer in Responses", async () => {
    const tools = [{ type: "function" as const, name: "exec", parameters, strict: false }];
    const asked = { role: "user" as const, content: ASK };
    const first = await openai()
      .responses.stream({ model, input: [asked], tools })
      .finalResponse();
    const called = first.output[0];
    if (called?.type !== "function_call") throw new Error("no call");
    expect(JSON.parse(called.arguments)).toEqual({ command: "uname" });
    const { call_id, name } = called;
    const second = await openai().responses.create({
      model,
      tools,
      input: [
        asked,
        { type: "function_call", call_id, name, arguments: called.arguments },
        { type: "function_call_output", call_id, output: "Linux" },
      ],
    });
    expect(second.output_text).toBe("The tool answered: Linux");
  });

  it("calls a tool and reports its answer in Messages", async () => {
    const tools = [{ name: "exec", input_schema: { type: "object" as const } }];
    const asked = { role: "user" as const, content: ASK };
    const body = { model, max_tokens: 100, tools };
    const first = await anthropic()
      .messages.stream({ ...body, messages: [asked] })
      .finalMessage();
    const called = first.content[0];
    if (called?.type !== "tool_use") throw new Error("no call");
    expect(called.input).toEqual({ command: "uname" });
    const { id: tool_use_id } = called;
    const second = await anthropic().messages.create({
      ...body,
      messages: [
        asked,
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id, content: "Linux" }] },
      ],
    });
    expect(second.content).toMatchObject([{ text: "The tool answered: Linux" }]);
  });

  it("says what is wrong with a request, in the format it came in", async () => {
    await expect(
      openai().post("/chat/completions", { body: { messages: 7 } }),
    ).rejects.toMatchObject({ status: 400, type: "invalid_request_error" });
    await expect(anthropic().post("/v1/messages", { body: { model } })).rejects.toMatchObject({
      status: 400,
      error: { error: { type: "invalid_request_error" } },
    });
    await expect(openai().embeddings.create({ model, input: "x" })).rejects.toMatchObject({
      status: 404,
    });
  });
});

describe("the demo model's door", () => {
  it.each([
    ["by a name that resolves here", { host: "evil.example" }],
    ["from a page", { origin: "https://evil.example" }],
    ["from a page, without an origin", { "sec-fetch-site": "cross-site" }],
  ])("is closed to a browser %s", async (_name, headers) => {
    expect(await status(`${demo.url}/models`, headers)).toBe(403);
  });

  it("is open to a program on this machine", async () => {
    expect(await status(`${demo.url}/models`, {})).toBe(200);
    expect(await status(`http://localhost:${demo.port}/v1/models`, {})).toBe(200);
  });

  it("closes with a stream still open", async () => {
    const slow = await startDemoModel({ wordMs: 60_000 });
    const body = JSON.stringify({ model, stream: true, input: "x" });
    const response = await fetch(`${slow.url}/responses`, { method: "POST", body });
    expect(response.status).toBe(200);
    const read = response.text();
    read.catch(() => {});
    await slow.close();
    await expect(read).rejects.toThrow(/terminated/);
  });
});

/** With headers that `fetch` does not let a program set. */
function status(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers, family: 4 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once("error", reject)
      .end();
  });
}
