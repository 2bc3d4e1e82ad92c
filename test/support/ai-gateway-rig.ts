/** Workers set up as a person writes it, with an emulated Cloudflare AI Gateway before the providers. */
import { parseConfig } from "../../src/worker/config.ts";
import { CLOUDFLARE_GATEWAY } from "../../src/worker/ai/cloudflare-gateway.ts";
import { startAiGateway, type GatewayEmulator } from "../emulators/ai-gateway.ts";
import { startAnthropic } from "../emulators/anthropic.ts";
import { startGemini } from "../emulators/gemini.ts";
import { startOpenai } from "../emulators/openai.ts";
import type { Emulator } from "./ai-emulator.ts";
import { startAiWorker, type AiWorker } from "./ai-worker.ts";

export const GATEWAY_TOKEN = "aig-token-planted";
export const GATEWAY_IDS = { CF_AI_GATEWAY_ACCOUNT_ID: "acct", CF_AI_GATEWAY_GATEWAY_ID: "gw" };

export interface GatewayRig {
  anthropic: Emulator;
  openai: Emulator;
  gemini: Emulator;
  gateway: GatewayEmulator;
  /** With Cloudflare's address replaced by the emulator's. */
  startFrom(settings: Record<string, string>): Promise<AiWorker>;
  close(): Promise<void>;
}

export async function startGatewayRig(): Promise<GatewayRig> {
  const [anthropic, openai, gemini] = await Promise.all([
    startAnthropic(),
    startOpenai(),
    startGemini(),
  ]);
  const gateway = await startAiGateway({
    token: GATEWAY_TOKEN,
    providers: {
      anthropic: { url: anthropic.url, storedKey: ["x-api-key", "stored-ant"] },
      openai: { url: `${openai.url}/v1`, storedKey: ["authorization", "Bearer stored-oai"] },
      openrouter: { url: openai.url, storedKey: ["authorization", "Bearer stored-or"] },
      "workers-ai": { url: openai.url, storedKey: ["authorization", "Bearer stored-cf"] },
      compat: { url: `${openai.url}/v1`, storedKey: ["authorization", "Bearer stored-any"] },
      "google-ai-studio": { url: gemini.url, storedKey: ["x-goog-api-key", "stored-goo"] },
    },
  });
  return {
    anthropic,
    openai,
    gemini,
    gateway,
    async startFrom(settings) {
      const parsed = parseConfig({ MOLTBOT_GATEWAY_TOKEN: "t".repeat(32), ...settings });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const { primary, ...config } = parsed.config.models;
      const text = JSON.stringify(config).replaceAll(`${CLOUDFLARE_GATEWAY}/acct/gw`, gateway.url);
      return startAiWorker({ ...JSON.parse(text), configured: primary });
    },
    async close() {
      await Promise.all([anthropic, openai, gemini, gateway].map((each) => each.close()));
    },
  };
}
