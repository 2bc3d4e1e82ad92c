/** The providers' own clients through Cloudflare AI Gateway: what they see is the provider. */
import Anthropic, { APIUserAbortError, RateLimitError } from "@anthropic-ai/sdk";
import OpenAI, { AuthenticationError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callsOf } from "../support/ai-admin.ts";
import { eventually } from "../support/ai-eventually.ts";
import {
  GATEWAY_IDS,
  GATEWAY_TOKEN,
  startGatewayRig,
  type GatewayRig,
} from "../support/ai-gateway-rig.ts";
import { PLACEHOLDER } from "../support/ai-rig.ts";
import type { AiWorker } from "../support/ai-worker.ts";

const HELLO = "Hello! 你好 👋";
const KEYS = { ANTHROPIC_API_KEY: "own-ant", OPENAI_API_KEY: "own-oai" };
const AT = "https://gateway.ai.cloudflare.com/v1/acct/gw";

let rig: GatewayRig;
beforeAll(async () => {
  rig = await startGatewayRig();
});
afterAll(() => rig?.close());

describe.each<[string, Record<string, string>]>([
  ["named by its ids", GATEWAY_IDS],
  [
    "named by the providers' addresses",
    { ANTHROPIC_BASE_URL: `${AT}/anthropic`, OPENAI_BASE_URL: `${AT}/openai` },
  ],
])("a gateway %s", (_name, settings) => {
  let worker: AiWorker;
  beforeAll(async () => {
    worker = await rig.startFrom({ ...settings, ...KEYS, CF_AI_GATEWAY_TOKEN: GATEWAY_TOKEN });
  });
  afterAll(() => worker?.close());

  /** The gateway was told who it is for, and the provider nothing of the gateway. */
  function passed(section: string, headers: Record<string, unknown>, key: string): void {
    const asked = rig.gateway.requests.at(-1);
    expect(asked?.path).toContain(`/acct/gw/${section}/`);
    expect(asked?.headers["cf-aig-authorization"]).toBe(`Bearer ${GATEWAY_TOKEN}`);
    expect(asked?.headers["cf-aig-metadata"]).toContain('"agent":"main"');
    expect(JSON.stringify(headers)).not.toMatch(/cf-aig|placeholder/);
    expect(JSON.stringify(headers)).toContain(key);
  }

  describe("and Anthropic's client", () => {
    const client = () =>
      new Anthropic({
        apiKey: PLACEHOLDER,
        baseURL: `${worker.url}/anthropic`,
        maxRetries: 0,
      });
    const question = {
      model: "claude-opus-5",
      max_tokens: 1024,
      messages: [{ role: "user" as const, content: "Hello" }],
    };
    const tools = [
      {
        name: "get_weather",
        description: "Weather at a place",
        input_schema: { type: "object" as const, properties: { location: { type: "string" } } },
      },
    ];

    it("chats, and its answer names no gateway", async () => {
      const { data, response } = await client().messages.create(question).withResponse();
      expect(data.content).toMatchObject([{ type: "text", text: HELLO }]);
      expect(response.headers.get("x-moltworker-route")).toBe(
        "anthropic/claude-opus-5; way=cloudflare; attempt=1",
      );
      expect(response.headers.get("cf-aig-log-id")).not.toBeNull();
      passed("anthropic", rig.anthropic.last().headers, "own-ant");
    });

    it("streams, and calls tools", async () => {
      const message = await client().messages.stream(question).finalMessage();
      expect(message.content).toMatchObject([{ type: "text", text: HELLO }]);
      const called = await client()
        .messages.stream({ ...question, tools })
        .finalMessage();
      expect(called.content).toMatchObject([{ type: "tool_use", name: "get_weather" }]);
    });

    it("counts tokens and lists models", async () => {
      const { model, messages } = question;
      expect(await client().messages.countTokens({ model, messages })).toEqual({
        input_tokens: 14,
      });
      expect((await client().models.list()).data.map(({ id }) => id)).toEqual([model]);
    });

    it("sees the provider's errors, and ends the provider's stream when it is cancelled", async () => {
      rig.anthropic.fail({ kind: "error", status: 429, headers: { "retry-after": "7" } });
      const limited: unknown = await client()
        .messages.create(question)
        .catch((error: unknown) => error);
      expect(limited).toBeInstanceOf(RateLimitError);
      rig.anthropic.fail({ kind: "endless", afterEvents: 5 });
      const stream = client().messages.stream(question);
      await new Promise<void>((resolve) => stream.once("text", () => resolve()));
      stream.abort();
      await expect(stream.finalMessage()).rejects.toThrow(APIUserAbortError);
      await eventually(() => rig.anthropic.last().cancelled);
    });
  });

  describe("and OpenAI's client", () => {
    const client = () =>
      new OpenAI({ apiKey: PLACEHOLDER, baseURL: `${worker.url}/openai/v1`, maxRetries: 0 });
    const chat = { model: "gpt-5.5", messages: [{ role: "user" as const, content: "Hello" }] };
    const question = { model: "gpt-5.5", input: "Hello" };
    const parameters = { type: "object", properties: { location: { type: "string" } } };

    it("chats, streamed and not, and calls tools", async () => {
      const whole = await client().chat.completions.create(chat);
      expect(whole.choices[0]?.message.content).toBe(HELLO);
      passed("openai", rig.openai.last().headers, "own-oai");
      let text = "";
      for await (const { choices } of await client().chat.completions.create({
        ...chat,
        stream: true,
      })) {
        text += choices[0]?.delta.content ?? "";
      }
      expect(text).toBe(HELLO);
      const tools = [{ type: "function" as const, function: { name: "get_weather", parameters } }];
      const called = await client()
        .chat.completions.stream({ ...chat, tools })
        .finalChatCompletion();
      expect(called.choices[0]?.finish_reason).toBe("tool_calls");
    });

    it("asks for a response, streamed and not, at a known price", async () => {
      expect((await client().responses.create(question)).output_text).toBe(HELLO);
      const streamed = await client().responses.stream(question).finalResponse();
      expect(streamed.output_text).toBe(HELLO);
      await eventually(async () => (await callsOf({ worker }))[0]?.state === "settled");
      expect((await callsOf({ worker }))[0]).toMatchObject({ priceKnown: true });
    });

    it("embeds, lists models and sees the provider's errors", async () => {
      const { data } = await client().embeddings.create({
        model: "text-embedding-3-small",
        input: "x",
      });
      expect(data[0]?.embedding).toEqual([0.25, -0.5]);
      expect((await client().models.list()).data.map(({ id }) => id)).toEqual(["gpt-5.5"]);
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

  it("is the way of every one of these calls in the ledger", async () => {
    await eventually(async () =>
      (await callsOf({ worker })).every(({ state }) => state !== "open"),
    );
    const ways = new Set((await callsOf({ worker })).map(({ route }) => route));
    expect([...ways]).toEqual(["cloudflare"]);
  });
});
