import { describe, expect, test } from "vitest";
import { parseConfig, secretsOf } from "../config.ts";

const base = { MOLTBOT_GATEWAY_TOKEN: "t".repeat(32) };
const ids = { CF_AI_GATEWAY_ACCOUNT_ID: "acct", CF_AI_GATEWAY_GATEWAY_ID: "gw" };
const gw = "https://gateway.ai.cloudflare.com/v1/acct/gw";

function config(env: Record<string, string>) {
  const parsed = parseConfig({ ...base, ...env });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

describe("the names of the guide", () => {
  test.each<[string, Record<string, string>, object]>([
    [
      "a key of each provider goes straight to it",
      {
        ANTHROPIC_API_KEY: "a",
        OPENAI_API_KEY: "o",
        GEMINI_API_KEY: "g",
        OPENROUTER_API_KEY: "r",
        WORKERS_AI_API_TOKEN: "w",
        CF_ACCOUNT_ID: "acct",
      },
      {
        primary: "anthropic/claude-opus-5",
        anthropic: { apiKey: "a", baseUrl: "https://api.anthropic.com" },
        openai: { apiKey: "o", baseUrl: "https://api.openai.com/v1", compatible: false },
        google: { apiKey: "g", baseUrl: "https://generativelanguage.googleapis.com/v1beta" },
        openrouter: { apiKey: "r", baseUrl: "https://openrouter.ai/api/v1" },
        "workers-ai": {
          apiKey: "w",
          baseUrl: "https://api.cloudflare.com/client/v4/accounts/acct/ai/v1",
        },
      },
    ],
    [
      "the older pair names Anthropic's section",
      { AI_GATEWAY_BASE_URL: `${gw}/anthropic`, AI_GATEWAY_API_KEY: "k" },
      {
        primary: "anthropic/claude-opus-5",
        anthropic: { apiKey: "k", baseUrl: `${gw}/anthropic`, gateway: {} },
      },
    ],
    [
      "the older pair names OpenAI's section",
      { AI_GATEWAY_BASE_URL: `${gw}/openai/`, AI_GATEWAY_API_KEY: "k" },
      {
        primary: "openai/gpt-5.5",
        openai: { apiKey: "k", baseUrl: `${gw}/openai`, compatible: false, gateway: {} },
      },
    ],
    [
      "the older pair names a gateway of another kind",
      { AI_GATEWAY_BASE_URL: "https://proxy.example/v1", AI_GATEWAY_API_KEY: "k" },
      {
        primary: "anthropic/claude-opus-5",
        anthropic: { apiKey: "k", baseUrl: "https://proxy.example" },
      },
    ],
    [
      "the gateway's key is Anthropic's when no model says otherwise",
      { ...ids, CLOUDFLARE_AI_GATEWAY_API_KEY: "k" },
      {
        primary: "anthropic/claude-opus-5",
        anthropic: { apiKey: "k", baseUrl: `${gw}/anthropic`, gateway: {} },
      },
    ],
    [
      "the gateway's key belongs to the provider of its model",
      {
        ...ids,
        CLOUDFLARE_AI_GATEWAY_API_KEY: "k",
        CF_AI_GATEWAY_MODEL: "google-ai-studio/gemini-x",
      },
      {
        primary: "google/gemini-x",
        google: { apiKey: "k", baseUrl: `${gw}/google-ai-studio/v1beta`, gateway: {} },
      },
    ],
    [
      "own keys pass through the gateway, with the token of an authenticated one",
      { ...ids, CF_AI_GATEWAY_TOKEN: "t0ken", ANTHROPIC_API_KEY: "a" },
      {
        primary: "anthropic/claude-opus-5",
        anthropic: { apiKey: "a", baseUrl: `${gw}/anthropic`, gateway: { token: "t0ken" } },
        openai: { baseUrl: `${gw}/openai`, compatible: false, gateway: { token: "t0ken" } },
        google: { baseUrl: `${gw}/google-ai-studio/v1beta`, gateway: { token: "t0ken" } },
        openrouter: { baseUrl: `${gw}/openrouter/v1`, gateway: { token: "t0ken" } },
        "workers-ai": { baseUrl: `${gw}/workers-ai/v1`, gateway: { token: "t0ken" } },
      },
    ],
    [
      "another provider of the gateway",
      { ...ids, CLOUDFLARE_AI_GATEWAY_API_KEY: "k", CF_AI_GATEWAY_MODEL: "groq/llama" },
      {
        primary: "openai/groq/llama",
        openai: { apiKey: "k", baseUrl: `${gw}/compat`, compatible: true, gateway: {} },
      },
    ],
    [
      "an address of one's own goes before the gateway",
      { ...ids, ANTHROPIC_API_KEY: "a", ANTHROPIC_BASE_URL: "https://proxy.example/v1" },
      {
        primary: "anthropic/claude-opus-5",
        anthropic: { apiKey: "a", baseUrl: "https://proxy.example" },
      },
    ],
    [
      "MODEL goes before the gateway's model",
      { ...ids, ANTHROPIC_API_KEY: "a", CF_AI_GATEWAY_MODEL: "openai/x", MODEL: "anthropic/y" },
      {
        primary: "anthropic/y",
        anthropic: { apiKey: "a", baseUrl: `${gw}/anthropic`, gateway: {} },
      },
    ],
    [
      "Anthropic's address in a gateway",
      {
        ANTHROPIC_API_KEY: "a",
        ANTHROPIC_BASE_URL: `${gw}/anthropic/v1`,
        CF_AI_GATEWAY_TOKEN: "t",
      },
      {
        primary: "anthropic/claude-opus-5",
        anthropic: { apiKey: "a", baseUrl: `${gw}/anthropic`, gateway: { token: "t" } },
      },
    ],
    [
      "Anthropic's address in a gateway that keeps the keys",
      { ANTHROPIC_BASE_URL: `${gw}/anthropic`, CF_AI_GATEWAY_TOKEN: "t" },
      {
        primary: "anthropic/claude-opus-5",
        anthropic: { baseUrl: `${gw}/anthropic`, gateway: { token: "t" } },
      },
    ],
    [
      "OpenAI's address in a gateway, whose prices are OpenAI's",
      { OPENAI_API_KEY: "o", OPENAI_BASE_URL: `${gw}/openai` },
      {
        primary: "openai/gpt-5.5",
        openai: { apiKey: "o", baseUrl: `${gw}/openai`, compatible: false, gateway: {} },
      },
    ],
    [
      "another provider's address in a gateway, in OpenAI's formats",
      { OPENAI_API_KEY: "o", OPENAI_BASE_URL: `${gw}/groq`, MODEL: "openai/llama" },
      {
        primary: "openai/llama",
        openai: { apiKey: "o", baseUrl: `${gw}/groq`, compatible: true, gateway: {} },
      },
    ],
    [
      "the older pair names the OpenAI-compatible face",
      { AI_GATEWAY_BASE_URL: `${gw}/compat`, AI_GATEWAY_API_KEY: "k", MODEL: "openai/groq/llama" },
      {
        primary: "openai/groq/llama",
        openai: { apiKey: "k", baseUrl: `${gw}/compat`, compatible: true, gateway: {} },
      },
    ],
    [
      "the older pair names OpenRouter's section",
      { AI_GATEWAY_BASE_URL: `${gw}/openrouter`, AI_GATEWAY_API_KEY: "k" },
      {
        primary: "openrouter/anthropic/claude-opus-5",
        openrouter: { apiKey: "k", baseUrl: `${gw}/openrouter/v1`, gateway: {} },
      },
    ],
    [
      "the older pair names Google's section, of a gateway that keeps the keys",
      { AI_GATEWAY_BASE_URL: `${gw}/google-ai-studio`, CF_AI_GATEWAY_TOKEN: "t" },
      {
        primary: "google/gemini-3.5-flash",
        google: { baseUrl: `${gw}/google-ai-studio/v1beta`, gateway: { token: "t" } },
      },
    ],
  ])("%s", (_name, env, models) => {
    expect(config(env).models).toEqual(models);
  });

  test.each([
    [{ CF_AI_GATEWAY_ACCOUNT_ID: "acct" }, "CF_AI_GATEWAY_GATEWAY_ID"],
    [{ CF_AI_GATEWAY_GATEWAY_ID: "gw" }, "CF_AI_GATEWAY_ACCOUNT_ID"],
    [{ AI_GATEWAY_API_KEY: "k" }, "AI_GATEWAY_BASE_URL"],
    [{ AI_GATEWAY_BASE_URL: gw }, "AI_GATEWAY_API_KEY"],
    [{ WORKERS_AI_API_TOKEN: "w" }, "WORKERS_AI_API_TOKEN"],
    [{ ...ids, CF_AI_GATEWAY_ACCOUNT_ID: "a/b" }, "CF_AI_GATEWAY_ACCOUNT_ID"],
    [{ ...ids, CF_AI_GATEWAY_MODEL: "opus" }, "CF_AI_GATEWAY_MODEL"],
    [{ ...ids, ANTHROPIC_API_KEY: "a", CF_AI_GATEWAY_MODEL: "openai/x" }, "CF_AI_GATEWAY_MODEL"],
    [{ ...ids, OPENAI_API_KEY: "o", CF_AI_GATEWAY_MODEL: "groq/x" }, "CF_AI_GATEWAY_MODEL"],
    [{ ANTHROPIC_BASE_URL: "https://proxy.example" }, "ANTHROPIC_API_KEY"],
    [{ OPENAI_BASE_URL: "https://api.openai.com/v1" }, "OPENAI_API_KEY"],
    [{ ANTHROPIC_BASE_URL: `${gw}/anthropic` }, "ANTHROPIC_API_KEY"],
    [{ OPENAI_BASE_URL: `${gw}/openai` }, "OPENAI_API_KEY"],
    [{ ANTHROPIC_API_KEY: "a", ANTHROPIC_BASE_URL: gw }, "ANTHROPIC_BASE_URL"],
    [{ ANTHROPIC_API_KEY: "a", ANTHROPIC_BASE_URL: `${gw}/openai` }, "ANTHROPIC_BASE_URL"],
    [{ OPENAI_API_KEY: "o", OPENAI_BASE_URL: `${gw}/anthropic` }, "OPENAI_BASE_URL"],
    [{ OPENAI_API_KEY: "o", OPENAI_BASE_URL: `${gw}/google-ai-studio` }, "OPENAI_BASE_URL"],
    [{ AI_GATEWAY_API_KEY: "k", AI_GATEWAY_BASE_URL: gw }, "AI_GATEWAY_BASE_URL"],
    [{ AI_GATEWAY_API_KEY: "k", AI_GATEWAY_BASE_URL: `${gw}/groq` }, "AI_GATEWAY_BASE_URL"],
    [{ AI_GATEWAY_API_KEY: "k", AI_GATEWAY_BASE_URL: `${gw}/compat` }, "MODEL"],
  ])("%j says that %s has to be mended", (env, name) => {
    const parsed = parseConfig({ ...base, ...env });
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.name)).toEqual([name]);
  });

  test("keys and tokens are secrets, and the notes say which way calls go", () => {
    const found = config({ ...ids, CF_AI_GATEWAY_TOKEN: "tok", OPENAI_API_KEY: "own" });
    expect(secretsOf(found)).toEqual(expect.arrayContaining(["tok", "own"]));
    expect(found.notes.join(" ")).toContain("through Cloudflare AI Gateway: Anthropic, OpenAI");
    const one = config({ OPENAI_BASE_URL: `${gw}/openai`, CF_AI_GATEWAY_TOKEN: "t0ken" });
    expect(secretsOf(one)).toContain("t0ken");
    expect(one.notes.join(" ")).toContain("through Cloudflare AI Gateway: OpenAI.");
  });

  test("caps and prices are read", () => {
    const found = config({
      SPEND_CAP_DAY_USD: "$2.50",
      MODEL_PRICES: "openai/llama3*=0/0, openai/x=1/2.5",
    });
    expect(found.caps).toEqual({ dayUsd: 2.5 });
    expect(found.prices).toEqual([
      { model: "openai/llama3*", input: 0, output: 0 },
      { model: "openai/x", input: 1, output: 2.5 },
    ]);
  });
});
