import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLOUDFLARE_GATEWAY } from "../../src/worker/ai/cloudflare-gateway.ts";
import { callsOf } from "../support/ai-admin.ts";
import { eventually } from "../support/ai-eventually.ts";
import {
  GATEWAY_IDS as IDS,
  GATEWAY_TOKEN as TOKEN,
  startGatewayRig,
  type GatewayRig,
} from "../support/ai-gateway-rig.ts";
import { startAiWorker, type AiWorker } from "../support/ai-worker.ts";

const HEADERS = { "content-type": "application/json", "anthropic-version": "2023-06-01" };

let rig: GatewayRig;
beforeAll(async () => {
  rig = await startGatewayRig();
});
afterAll(() => rig?.close());

const PATHS = {
  anthropic: ["/anthropic/v1/messages", "claude-opus-5"],
  openai: ["/openai/v1/responses", "gpt-5.5"],
  google: ["/google/v1beta/models/gemini-3.5-flash:generateContent", "gemini-3.5-flash"],
  openrouter: ["/openrouter/v1/chat/completions", "openai/gpt-5.5"],
  "workers-ai": ["/workers-ai/v1/chat/completions", "@cf/openai/gpt-oss-120b"],
} as const;

const ALL = ["anthropic", "openai", "google", "openrouter", "workers-ai"] as const;
type Name = (typeof ALL)[number];

describe("through Cloudflare AI Gateway", () => {
  it.each<[string, Record<string, string>, Partial<Record<Name, [header: string, key: string]>>]>([
    [
      "with stored keys or its own billing",
      { ...IDS, CF_AI_GATEWAY_TOKEN: TOKEN },
      {
        anthropic: ["x-api-key", "stored-ant"],
        openai: ["authorization", "Bearer stored-oai"],
        google: ["x-goog-api-key", "stored-goo"],
        openrouter: ["authorization", "Bearer stored-or"],
        "workers-ai": ["authorization", "Bearer stored-cf"],
      },
    ],
    [
      "with own keys",
      {
        ...IDS,
        CF_AI_GATEWAY_TOKEN: TOKEN,
        ANTHROPIC_API_KEY: "own-ant",
        OPENAI_API_KEY: "own-oai",
        GEMINI_API_KEY: "own-goo",
        OPENROUTER_API_KEY: "own-or",
        WORKERS_AI_API_TOKEN: "own-cf",
      },
      {
        anthropic: ["x-api-key", "own-ant"],
        openai: ["authorization", "Bearer own-oai"],
        google: ["x-goog-api-key", "own-goo"],
        openrouter: ["authorization", "Bearer own-or"],
        "workers-ai": ["authorization", "Bearer own-cf"],
      },
    ],
    [
      "with the key of the model's provider",
      {
        ...IDS,
        CF_AI_GATEWAY_TOKEN: TOKEN,
        CLOUDFLARE_AI_GATEWAY_API_KEY: "their-cf",
        CF_AI_GATEWAY_MODEL: "workers-ai/@cf/openai/gpt-oss-120b",
      },
      { "workers-ai": ["authorization", "Bearer their-cf"] },
    ],
    [
      "with the older pair of names",
      {
        CF_AI_GATEWAY_TOKEN: TOKEN,
        ...IDS,
        AI_GATEWAY_BASE_URL: `${CLOUDFLARE_GATEWAY}/acct/gw/anthropic`,
        AI_GATEWAY_API_KEY: "older-ant",
      },
      { anthropic: ["x-api-key", "older-ant"] },
    ],
  ])("%s", async (_name, settings, expected) => {
    const worker = await rig.startFrom(settings);
    try {
      for (const name of ALL) {
        const [header, key] = expected[name] ?? [];
        if (header === undefined) continue;
        const [path, model] = PATHS[name];
        const emulator =
          name === "anthropic" ? rig.anthropic : name === "google" ? rig.gemini : rig.openai;
        const body = `{"model":"${model}", "max_tokens":9,"messages":[],"input":"x","contents":[]}`;
        const response = await fetch(`${worker.url}${path}`, {
          method: "POST",
          headers: HEADERS,
          body,
        });
        expect([name, response.status]).toEqual([name, 200]);
        expect(await response.text()).toBe(emulator.sent());
        expect(emulator.last().body.toString()).toBe(body);
        expect(emulator.last().headers[header]).toBe(key);
        expect(response.headers.get("x-moltworker-route")).toContain("way=cloudflare");
        expect(rig.gateway.requests.at(-1)?.headers).toMatchObject({
          "cf-aig-authorization": `Bearer ${TOKEN}`,
          "cf-aig-metadata": expect.stringMatching(/^{"agent":"main","request":"[\da-f-]{36}"}$/),
          "cf-aig-skip-cache": "true",
          "cf-aig-max-attempts": "1",
          "cf-aig-request-timeout": expect.stringMatching(/^\d+$/),
        });
      }
      await eventually(async () =>
        (await callsOf({ worker })).every(({ state }) => state === "settled"),
      );
      for (const call of await callsOf({ worker })) expect(call.route).toBe("cloudflare");
    } finally {
      await worker.close();
    }
  });

  it("any other provider of the gateway is reached at its OpenAI-compatible face", async () => {
    const worker = await rig.startFrom({
      ...IDS,
      CF_AI_GATEWAY_MODEL: "groq/llama-4",
      CLOUDFLARE_AI_GATEWAY_API_KEY: "gsk-planted",
      CF_AI_GATEWAY_TOKEN: TOKEN,
    });
    try {
      const response = await fetch(`${worker.url}/openai/v1/chat/completions`, {
        method: "POST",
        headers: HEADERS,
        body: '{"model":"groq/llama-4","messages":[]}',
      });
      expect(await response.text()).toBe(rig.openai.sent());
      expect(rig.gateway.requests.at(-1)?.path).toBe("/v1/acct/gw/compat/chat/completions");
      expect(rig.openai.last().headers.authorization).toBe("Bearer gsk-planted");
    } finally {
      await worker.close();
    }
  });

  it("an error of the gateway itself is told without its token", async () => {
    const worker = await rig.startFrom({ ...IDS, CF_AI_GATEWAY_TOKEN: "wrong-token-planted" });
    try {
      const response = await fetch(`${worker.url}/anthropic/v1/messages`, {
        method: "POST",
        headers: HEADERS,
        body: '{"model":"m","max_tokens":1,"messages":[]}',
      });
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain("planted");
      expect(worker.logs()).not.toContain("planted");
    } finally {
      await worker.close();
    }
  });
});

describe("Gemini, straight", () => {
  let worker: AiWorker;
  beforeAll(async () => {
    worker = await startAiWorker({
      google: { apiKey: "goo-planted", baseUrl: `${rig.gemini.url}/v1beta` },
    });
  });
  afterAll(() => worker?.close());

  it.each([
    ["generateContent", ""],
    ["streamGenerateContent", "?alt=sse&key=placeholder"],
    ["streamGenerateContent", ""],
  ])("%s%s is passed byte for byte and counted with its thoughts", async (action, query) => {
    const before = (await callsOf({ worker })).length;
    const body = ` {"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":100}}`;
    const response = await fetch(
      `${worker.url}/google/v1beta/models/gemini-3.5-flash:${action}${query}`,
      { method: "POST", headers: HEADERS, body },
    );
    expect(await response.text()).toBe(rig.gemini.sent());
    expect(rig.gemini.last().body.toString()).toBe(body);
    expect(rig.gemini.last().path).not.toContain("key=");
    expect(rig.gemini.last().headers["x-goog-api-key"]).toBe("goo-planted");
    await eventually(async () => {
      const calls = await callsOf({ worker });
      return calls.length > before && calls.every(({ state }) => state === "settled");
    });
    expect((await callsOf({ worker }))[0]).toMatchObject({
      provider: "google",
      model: "gemini-3.5-flash",
      input: 40,
      cacheRead: 10,
      output: 42,
      reasoning: 30,
      priceKnown: true,
    });
  });

  it("tells its own errors in Google's words", async () => {
    const response = await fetch(`${worker.url}/google/v1beta/files`, { method: "POST" });
    expect(await response.json()).toMatchObject({ error: { code: 404, status: "NOT_FOUND" } });
  });
});
