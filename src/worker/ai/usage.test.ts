import { describe, expect, it, test } from "vitest";
import type { Fee } from "./surcharges.ts";
import { UsageMeter, type Metered } from "./usage.ts";

const OPENAI = { providerId: "openai" };

function heard(call: Partial<Metered>, ...events: object[]) {
  const meter = new UsageMeter({ wire: "chat", source: OPENAI, ...call });
  for (const event of events) meter.hear(JSON.stringify(event));
  return meter.report();
}

const usage = { prompt_tokens: 100, completion_tokens: 10 };
const chunk = (finish_reason: string | null, more: object = {}) => ({
  choices: [{ index: 0, delta: {}, finish_reason }],
  ...more,
});

describe("the numbers are the whole of a call", () => {
  it.each<[string, boolean, object[]]>([
    [
      "in an event of their own, as OpenAI tells them",
      true,
      [chunk("stop"), { choices: [], usage }],
    ],
    ["behind the end, as OpenRouter tells them", true, [chunk("stop"), chunk(null, { usage })]],
    ["in a whole body", true, [chunk("stop", { usage })]],
    ["not while a server tells them with every event", false, [chunk(null, { usage })]],
    ["not before they are told", false, [chunk("stop")]],
    [
      "not after an event without a choice, as some begin with",
      false,
      [{ choices: [] }, chunk(null, { usage })],
    ],
  ])("%s", (_name, final, events) => {
    expect(heard({}, ...events).final).toBe(final);
  });

  const answer = (index: number, finish_reason: string | null) => ({
    choices: [{ index, delta: {}, finish_reason }],
    usage,
  });
  it.each<[string, boolean, object[]]>([
    ["when the first has ended", false, [answer(0, "stop"), answer(1, null)]],
    ["when each has ended", true, [answer(1, "stop"), answer(1, null), answer(0, "length")]],
    ["in a whole body", true, [{ object: "chat.completion", ...answer(0, "stop") }]],
  ])("of two answers %s: %s", (_name, final, events) => {
    expect(heard({ choices: 2 }, ...events).final).toBe(final);
  });

  const candidate = (index: number, finishReason?: string) => ({
    candidates: [{ index, ...(finishReason === undefined ? {} : { finishReason }) }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
  });
  it.each<[string, boolean, object[]]>([
    ["when one has ended", false, [candidate(0, "STOP"), candidate(1)]],
    ["when each has ended", true, [candidate(0, "STOP"), candidate(1, "STOP")]],
  ])("of two candidates of Gemini's %s: %s", (_name, final, events) => {
    const call: Partial<Metered> = { wire: "gemini", source: { providerId: "google" }, choices: 2 };
    expect(heard(call, ...events).final).toBe(final);
  });
});

describe("tokens are read as the priced provider tells them", () => {
  const told = {
    ...chunk("stop"),
    usage: { ...usage, completion_tokens_details: { reasoning_tokens: 300 } },
  };
  it.each<[string, Metered["source"], number]>([
    ["OpenAI's, where reasoning is part of the output", OPENAI, 10],
    ["xAI's, where it comes on top", { providerApiUrl: "https://api.x.ai/v1" }, 310],
    ["an unknown server's, as OpenAI's", { providerApiUrl: "http://127.0.0.1:1/v1" }, 10],
  ])("%s", (_name, source, output_tokens) => {
    expect(heard({ source }, told).usage).toMatchObject({ output_tokens, input_tokens: 100 });
  });

  it("falls back where the provider says nothing of this format", () => {
    const body = { type: "message", usage: { input_tokens: 5, output_tokens: 6 } };
    const report = heard({ wire: "messages", source: { providerId: "openrouter" } }, body);
    expect(report).toMatchObject({ final: true, usage: { input_tokens: 5, output_tokens: 6 } });
  });
});

describe("the provider's own price", () => {
  it.each<[object, number | undefined]>([
    [{ cost: 0.5, is_byok: false, cost_details: { upstream_inference_cost: 0.5 } }, 0.5],
    [{ cost: 0.25, is_byok: true, cost_details: { upstream_inference_cost: 0.5 } }, 0.75],
    [{ cost: 0, is_byok: true, cost_details: { upstream_inference_cost: null } }, undefined],
    [{ cost: 0, is_byok: true }, undefined],
    [{ cost: -1 }, undefined],
    [{}, undefined],
  ])("%j", (told, usd) => {
    expect(heard({}, chunk("stop", { usage: { ...usage, ...told } })).usd).toBe(usd);
  });
});

test("how a call was served goes before how it was asked", () => {
  const asked = { tier: "priority", speed: "fast", geo: "us" };
  const ofTier = (service_tier: string) =>
    heard({ mode: asked }, chunk("stop", { usage, service_tier })).mode;
  expect(ofTier("default")).toEqual({ ...asked, tier: "default" });
  expect(ofTier("auto")).toEqual(asked);
  const message = {
    type: "message_start",
    message: {
      usage: { input_tokens: 1, output_tokens: 1, speed: "standard", inference_geo: "us" },
    },
  };
  expect(heard({ wire: "messages", source: { providerId: "anthropic" } }, message).mode).toEqual({
    speed: "standard",
    geo: "us",
  });
});

describe("the provider's own tools", () => {
  const search: Fee = { kind: "search", uses: 20, usd: 0.01 };
  const output = ["web_search_call", "message", "web_search_call"].map((type) => ({ type }));
  const tokens = { input_tokens: 1, output_tokens: 1 };
  it.each<[string, Partial<Metered>, object[], number]>([
    [
      "told in a body",
      { wire: "responses" },
      [{ object: "response", output, usage: tokens }],
      0.02,
    ],
    [
      "told at the end of a stream",
      { wire: "responses" },
      [
        { type: "response.created", response: { output: [] } },
        { type: "response.completed", response: { output, usage: tokens } },
      ],
      0.02,
    ],
    [
      "told by Anthropic",
      { wire: "messages", source: { providerId: "anthropic" } },
      [{ type: "message", usage: { ...tokens, server_tool_use: { web_search_requests: 3 } } }],
      0.03,
    ],
    [
      "told by Gemini",
      { wire: "gemini", source: { providerId: "google" } },
      [
        {
          candidates: [{ finishReason: "STOP", groundingMetadata: { webSearchQueries: ["a"] } }],
          usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
        },
      ],
      0.01,
    ],
    ["not told by Chat Completions", {}, [chunk("stop", { usage })], 0.2],
    ["of an answer that was cut", { wire: "responses" }, [], 0.2],
  ])("%s", (_name, call, events, usd) => {
    expect(heard({ ...call, fees: [search] }, ...events).feesUsd).toBeCloseTo(usd, 9);
  });
});
