import { describe, expect, it } from "vitest";
import type { HostPattern } from "../egress/pattern.ts";
import { spokenTo } from "../ai/plan.ts";
import type { AiConfig, ProviderId } from "../ai/providers.ts";
import { gatewayConfig, type GatewaySettings } from "./gateway-config.ts";

const settings: GatewaySettings = {
  models: { anthropic: {}, primary: "anthropic/claude-opus-5" },
  workerOrigins: ["http://127.0.0.1:8787"],
  sleeps: false,
  browser: { private: [] },
  channels: { strangerWakes: 5, owners: [] },
};

describe("the gateway's configuration", () => {
  it("is the same bytes for the same settings, whatever their order", () => {
    const origins = ["https://b.example", "https://a.example"];
    const one = gatewayConfig({ ...settings, workerOrigins: origins });
    const two = gatewayConfig({
      channels: { owners: [], strangerWakes: 1 },
      workerOrigins: [...origins, "https://b.example"].toReversed(),
      models: { primary: "anthropic/claude-opus-5", anthropic: { apiKey: "sk-other" } },
      sleeps: false,
      browser: { private: [] },
    });
    expect(two).toBe(one);
  });

  it("holds no token of a chat platform, and keeps everybody's conversation apart", () => {
    const text = gatewayConfig({
      ...settings,
      channels: {
        ...settings.channels,
        telegram: {
          token: "123456:AAabcdefghijklmnopqrstuvwxyz0123456",
          policy: "pairing",
          allowFrom: [],
          apiUrl: "https://api.telegram.org",
        },
      },
    });
    expect(text).not.toContain("AAabcdef");
    expect(JSON.parse(text)).toMatchObject({
      session: { dmScope: "per-channel-peer" },
      channels: { telegram: { dmPolicy: "pairing", enabled: true } },
    });
  });

  it("has no half-hourly turn that would wake an agent that sleeps", () => {
    const heartbeat = (sleeps: boolean) =>
      JSON.parse(gatewayConfig({ ...settings, sleeps })).agents.defaults.heartbeat;
    expect(heartbeat(true)).toEqual({ every: "0m" });
    expect(heartbeat(false)).toBeUndefined();
  });

  it("holds no key of a provider", () => {
    const text = gatewayConfig({
      ...settings,
      models: { anthropic: { apiKey: "sk-ant-secret" }, primary: "anthropic/claude-opus-5" },
    });
    expect(text).not.toContain("sk-ant");
  });

  it("allows a loopback address under both of its names", () => {
    expect(JSON.parse(gatewayConfig(settings))).toMatchObject({
      gateway: {
        controlUi: { allowedOrigins: ["http://127.0.0.1:8787", "http://localhost:8787"] },
      },
    });
  });

  it("gives the agent the debugging port of the sandbox, or no browser", () => {
    expect(JSON.parse(gatewayConfig(settings)).browser).toMatchObject({
      defaultProfile: "moltworker",
      profiles: { moltworker: { cdpUrl: "http://127.0.0.1:9222", attachOnly: true } },
    });
    const without = JSON.parse(gatewayConfig({ ...settings, browser: undefined }));
    expect(without.browser).toEqual({ enabled: false });
  });

  it("opens the private hosts of the settings in the agent's own guard, and no others", () => {
    const hosts: HostPattern[] = [
      { kind: "exact", host: "192.168.1.20", port: 8080 },
      { kind: "exact", host: "[fd00::1]" },
      { kind: "below", host: "corp.example.org" },
    ];
    const config = JSON.parse(gatewayConfig({ ...settings, browser: { private: hosts } }));
    expect(config.browser.ssrfPolicy).toEqual({ allowedHostnames: ["192.168.1.20", "fd00::1"] });
    expect(JSON.parse(gatewayConfig(settings)).browser.ssrfPolicy).toBeUndefined();
  });

  it("keeps Anthropic's catalogue and changes only where it is reached", () => {
    expect(JSON.parse(gatewayConfig(settings)).models.providers).toEqual({
      anthropic: {
        apiKey: "moltworker",
        baseUrl: "http://ai.moltworker.internal/anthropic",
        headers: { "x-moltworker-turn": "1" },
        models: [],
      },
    });
  });

  it("speaks Responses to OpenAI and Chat Completions to a compatible server", () => {
    const openai = JSON.parse(
      gatewayConfig({
        ...settings,
        models: { openai: { compatible: false }, primary: "openai/gpt-5.5" },
      }),
    );
    expect(openai.models.providers).toMatchObject({ openai: { api: "openai-responses" } });
    expect(openai.agents.defaults.model.primary).toBe("openai/gpt-5.5");
    const demo = JSON.parse(
      gatewayConfig({
        ...settings,
        models: { openai: { compatible: true }, primary: "openai/demo" },
      }),
    );
    expect(demo.models.providers).toMatchObject({
      compatible: { api: "openai-completions", models: [{ id: "demo" }] },
    });
    expect(demo.agents.defaults.model.primary).toBe("compatible/demo");
  });

  it.each<[ProviderId, GatewaySettings["models"]]>([
    ["openai", { openai: { compatible: false }, primary: "openai/gpt-5.5" }],
    ["openai", { openai: { compatible: true }, primary: "openai/demo" }],
    ["google", { google: {}, primary: "google/gemini" }],
    ["openrouter", { openrouter: {}, primary: "openrouter/x" }],
    ["workers-ai", { "workers-ai": {}, primary: "workers-ai/x" }],
  ])("asks %s in the format that fallbacks are chosen by: %j", (id, models) => {
    const { providers } = JSON.parse(gatewayConfig({ ...settings, models })).models;
    const { openai } = models;
    const where = { baseUrl: "" };
    const config: AiConfig = openai === undefined ? {} : { openai: { ...where, ...openai } };
    const apis: Record<string, string> = {
      chat: "openai-completions",
      responses: "openai-responses",
      "gemini-stream": "google-generative-ai",
    };
    expect(Object.values(providers)).toMatchObject([{ api: apis[spokenTo(id, config)] }]);
  });
});
