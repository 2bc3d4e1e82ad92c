/** The demo model stands in while no provider is configured; nothing else changes for the Worker. */
import { startDemoModel } from "../demo-model/server.ts";
import { DEMO_MODEL } from "../../protocol/names.ts";
import type { Closers } from "./closers.ts";

export interface OpenedModel {
  demo: boolean;
  /** Settings on top of the person's own. */
  settings: Record<string, string>;
}

/** Any of them names a model of the person's own. */
const PROVIDER_SETTINGS = [
  "ANTHROPIC_API_KEY",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "GEMINI_API_KEY",
  "OPENROUTER_API_KEY",
  "WORKERS_AI_API_TOKEN",
  "AI_GATEWAY_BASE_URL",
  "CF_AI_GATEWAY_GATEWAY_ID",
] as const;

export async function openModel(
  settings: Readonly<Record<string, string>>,
  closers: Closers,
): Promise<OpenedModel> {
  if (!usesDemoModel(settings)) return { demo: false, settings: {} };
  const model = await startDemoModel();
  closers.add("demo model", () => model.close());
  return { demo: true, settings: demoSettings(model.url) };
}

export function usesDemoModel(settings: Readonly<Record<string, string>>): boolean {
  return !PROVIDER_SETTINGS.some((name) => settings[name]);
}

export function demoSettings(url: string): Record<string, string> {
  return {
    OPENAI_BASE_URL: url,
    MODEL: `openai/${DEMO_MODEL}`,
    MODEL_PRICES: `openai/${DEMO_MODEL}=0/0`,
  };
}
