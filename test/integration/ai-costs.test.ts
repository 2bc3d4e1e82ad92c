/**
 * Worked examples: what a provider's own numbers come to in tokens and dollars. Prices of the data in
 * the package, for a million tokens each: claude-opus-5 $5, $25, cache $0.5 and $6.25 (an hour's: $10);
 * gpt-5.5 $5, $30, cache $0.5; gemini-3.5-flash $1.5, $9, cache $0.15; gpt-oss-120b $0.35, $0.75.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SpendCall } from "../../src/protocol/spend.ts";
import { startGemini } from "../emulators/gemini.ts";
import { startOpenai } from "../emulators/openai.ts";
import { callsOf } from "../support/ai-admin.ts";
import type { Emulator } from "../support/ai-emulator.ts";
import { eventually } from "../support/ai-eventually.ts";
import { startAiRig, type AiRig } from "../support/ai-rig.ts";

const HEADERS = { "content-type": "application/json", "anthropic-version": "2023-06-01" };

let rig: AiRig;
let places: Record<string, Emulator>;
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  const [google, openrouter, cloudflare] = await Promise.all([
    startGemini(),
    startOpenai(),
    startOpenai(),
  ]);
  rig = await startAiRig({
    google: { apiKey: "k", baseUrl: `${google.url}/v1beta` },
    openrouter: { apiKey: "k", baseUrl: `${openrouter.url}/v1` },
    "workers-ai": { apiKey: "k", baseUrl: `${cloudflare.url}/v1` },
  });
  const { anthropic, openai } = rig;
  places = { anthropic, openai, google, openrouter, "workers-ai": cloudflare };
  closers.push(rig.close, google.close, openrouter.close, cloudflare.close);
});
afterAll(() => Promise.all(closers.map((close) => close())));

interface Example {
  path: string;
  model: string;
  /** Besides the model. */
  asked?: object;
  answer: object;
  /** The events in place of an answer in one piece. */
  stream?: object[];
  counted: Partial<SpendCall>;
}

const messages = (usage: object, asked: object = {}) => ({
  path: "/anthropic/v1/messages",
  model: "claude-opus-5",
  asked,
  answer: { type: "message", model: "claude-opus-5", usage },
});
const ofChat = (usage: object, more: object = {}) => ({ choices: [], usage, ...more });
const chat = (usage: object, asked: object = {}, more: object = {}) => ({
  path: "/openai/v1/chat/completions",
  model: "gpt-5.5",
  asked,
  answer: ofChat(usage, more),
});
const responses = (usage: object, asked: object = {}, more: object = {}) => ({
  path: "/openai/v1/responses",
  model: "gpt-5.5",
  asked,
  answer: { object: "response", usage, ...more },
});
const gemini = (usageMetadata: object, asked: object = {}, more: object = {}) => ({
  path: "/google/v1beta/models/gemini-3.5-flash:generateContent",
  model: "gemini-3.5-flash",
  asked,
  answer: { candidates: [{ finishReason: "STOP", ...more }], usageMetadata },
});
const openrouter = (usage: object, asked: object = {}) => ({
  path: "/openrouter/v1/chat/completions",
  model: "anthropic/claude-opus-5",
  asked,
  answer: ofChat(usage),
});

const EXAMPLES: Record<string, [what: string, example: Example][]> = {
  anthropic: [
    [
      "plain",
      {
        ...messages({ input_tokens: 1000, output_tokens: 200 }),
        counted: { input: 1000, output: 200, usd: 0.005 + 0.005 },
      },
    ],
    [
      "with a cache read and written",
      {
        ...messages({
          input_tokens: 100,
          cache_read_input_tokens: 10_000,
          cache_creation_input_tokens: 2000,
          output_tokens: 50,
        }),
        counted: {
          input: 12_100,
          cacheRead: 10_000,
          cacheWrite: 2000,
          output: 50,
          usd: 0.0005 + 0.005 + 0.0125 + 0.00125,
        },
      },
    ],
    [
      "with a cache written for an hour",
      {
        ...messages({
          input_tokens: 100,
          cache_creation_input_tokens: 2000,
          cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 2000 },
          output_tokens: 0,
        }),
        counted: { input: 2100, cacheWrite: 2000, usd: 0.0005 + 0.02 },
      },
    ],
    [
      "with a summary made on the way, which its totals leave out",
      {
        ...messages({
          input_tokens: 23_000,
          output_tokens: 1000,
          iterations: [
            { type: "compaction", input_tokens: 180_000, output_tokens: 3500 },
            { type: "message", input_tokens: 23_000, output_tokens: 1000 },
          ],
        }),
        counted: { input: 203_000, output: 4500, usd: 1.015 + 0.1125 },
      },
    ],
    [
      "with advice of another model, at the dearest of all",
      {
        ...messages({
          input_tokens: 1000,
          output_tokens: 200,
          iterations: [
            { type: "message", input_tokens: 1000, output_tokens: 200 },
            { type: "advisor_message", model: "x", input_tokens: 1000, output_tokens: 200 },
          ],
        }),
        // The worst case ($30, $180) is more than six times the list's price.
        counted: { input: 2000, output: 400, usd: 0.132, priceKnown: false },
      },
    ],
    [
      "in fast mode, in the United States",
      {
        ...messages(
          { input_tokens: 1000, output_tokens: 200, speed: "fast", inference_geo: "us" },
          { speed: "fast" },
        ),
        counted: { input: 1000, output: 200, usd: 0.01 * 2 * 1.1 },
      },
    ],
    [
      "asked for in fast mode and served as usual",
      {
        ...messages(
          { input_tokens: 1000, output_tokens: 200, speed: "standard" },
          { speed: "fast" },
        ),
        counted: { usd: 0.01 },
      },
    ],
    [
      "with three searches",
      {
        ...messages(
          {
            input_tokens: 1000,
            output_tokens: 200,
            server_tool_use: { web_search_requests: 3 },
          },
          { tools: [{ type: "web_search_20250305", name: "web_search" }] },
        ),
        counted: { usd: 0.01 + 0.03 },
      },
    ],
  ],
  openai: [
    [
      "with reasoning",
      {
        ...chat({
          prompt_tokens: 1000,
          completion_tokens: 500,
          prompt_tokens_details: { cached_tokens: 400 },
          completion_tokens_details: { reasoning_tokens: 300 },
        }),
        counted: {
          input: 1000,
          cacheRead: 400,
          output: 500,
          reasoning: 300,
          usd: 0.003 + 0.0002 + 0.015,
        },
      },
    ],
    [
      "in the format of Responses",
      {
        ...responses({
          input_tokens: 2000,
          output_tokens: 100,
          input_tokens_details: { cached_tokens: 1000 },
          output_tokens_details: { reasoning_tokens: 60 },
        }),
        counted: {
          input: 2000,
          cacheRead: 1000,
          output: 100,
          reasoning: 60,
          usd: 0.005 + 0.0005 + 0.003,
        },
      },
    ],
    [
      "with priority",
      {
        ...chat(
          { prompt_tokens: 1000, completion_tokens: 100 },
          { service_tier: "priority" },
          { service_tier: "priority" },
        ),
        counted: { usd: 0.008 * 2.5 },
      },
    ],
    [
      "in a tier that nobody knows",
      {
        ...chat({ prompt_tokens: 1000, completion_tokens: 100 }, { service_tier: "of-tomorrow" }),
        // Six times the list price is more than the configured worst case.
        counted: { usd: 0.008 * 6, priceKnown: false },
      },
    ],
    [
      "with a search of the provider's own",
      {
        ...responses(
          { input_tokens: 1000, output_tokens: 100 },
          { tools: [{ type: "web_search" }] },
          { output: [{ type: "web_search_call" }, { type: "message" }] },
        ),
        counted: { usd: 0.008 + 0.01 },
      },
    ],
    [
      "of an embedding",
      {
        path: "/openai/v1/embeddings",
        model: "text-embedding-3-small",
        answer: { object: "list", data: [], usage: { prompt_tokens: 5000, total_tokens: 5000 } },
        counted: { input: 5000, output: 0, usd: 0.0001 },
      },
    ],
  ],
  google: [
    [
      "with a cache read and thoughts",
      {
        ...gemini({
          promptTokenCount: 4000,
          cachedContentTokenCount: 1000,
          candidatesTokenCount: 120,
          thoughtsTokenCount: 300,
        }),
        counted: {
          input: 4000,
          cacheRead: 1000,
          output: 420,
          reasoning: 300,
          usd: 0.0045 + 0.00015 + 0.00378,
        },
      },
    ],
    [
      "with priority and two searches",
      {
        ...gemini(
          { promptTokenCount: 4000, candidatesTokenCount: 100 },
          { service_tier: "priority", tools: [{ google_search: {} }] },
          { groundingMetadata: { webSearchQueries: ["a", "b"] } },
        ),
        counted: { usd: (0.006 + 0.0009) * 2 + 0.07 },
      },
    ],
  ],
  openrouter: [
    [
      "at the price it tells itself",
      {
        ...openrouter({ prompt_tokens: 1000, completion_tokens: 100, cost: 0.0421 }),
        counted: { input: 1000, output: 100, usd: 0.0421 },
      },
    ],
    [
      "with a key of one's own, that another bills",
      {
        ...openrouter({
          prompt_tokens: 1000,
          completion_tokens: 100,
          cost: 0.0004,
          is_byok: true,
          cost_details: { upstream_inference_cost: 0.0075 },
        }),
        counted: { usd: 0.0079 },
      },
    ],
    [
      "at the list's price when it tells none",
      {
        ...openrouter({ prompt_tokens: 1000, completion_tokens: 100 }),
        counted: { usd: 0.005 + 0.0025 },
      },
    ],
    [
      "streamed, its usage behind the end",
      {
        ...openrouter({}, { stream: true }),
        stream: [
          { choices: [{ delta: { content: "x" }, finish_reason: "stop" }] },
          {
            choices: [{ delta: { content: "" }, finish_reason: null }],
            usage: { prompt_tokens: 1000, completion_tokens: 100, cost: 0.0421 },
          },
        ],
        counted: { stream: true, usd: 0.0421 },
      },
    ],
  ],
  "workers-ai": [
    [
      "plain",
      {
        path: "/workers-ai/v1/chat/completions",
        model: "@cf/openai/gpt-oss-120b",
        answer: ofChat({ prompt_tokens: 10_000, completion_tokens: 2000 }),
        counted: { input: 10_000, output: 2000, usd: 0.0035 + 0.0015 },
      },
    ],
  ],
};

describe.each(Object.entries(EXAMPLES))("%s", (provider, examples) => {
  it.each(examples)("%s", async (_what, { path, model, asked, answer, stream, counted }) => {
    const before = (await callsOf(rig)).length;
    places[provider]?.fail({
      kind: "raw",
      status: 200,
      headers: {
        "content-type": stream === undefined ? "application/json" : "text/event-stream",
        "request-id": "req_1",
      },
      body:
        stream === undefined
          ? JSON.stringify({ model, ...answer })
          : stream.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""),
    });
    const response = await fetch(`${rig.worker.url}${path}`, {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ model, max_tokens: 1000, ...asked }),
    });
    await response.text();
    await eventually(async () => {
      const calls = await callsOf(rig);
      return calls.length > before && calls.every(({ state }) => state !== "open");
    });
    const [call] = await callsOf(rig);
    expect(call).toMatchObject({
      provider,
      model,
      state: "settled",
      status: 200,
      priceKnown: true,
      providerRequestId: "req_1",
      route: "direct",
      ...counted,
      usd: expect.closeTo(counted.usd ?? 0, 8),
    });
  });
});
