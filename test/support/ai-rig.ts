/** The AI gateway between two emulated providers, with keys that no test may find elsewhere. */
import { startAnthropic } from "../emulators/anthropic.ts";
import { startOpenai } from "../emulators/openai.ts";
import type { Emulator } from "./ai-emulator.ts";
import { startAiWorker } from "./ai-worker.ts";
import type { AiWorker, AiWorkerSettings } from "./ai-worker.ts";

export const ANTHROPIC_KEY = "sk-ant-api03-planted-8d1f0c";
export const OPENAI_KEY = "sk-proj-planted-5be217";
/** What the sandbox sends where a provider wants a key. */
export const PLACEHOLDER = "moltworker-placeholder";

export interface AiRig {
  worker: AiWorker;
  anthropic: Emulator;
  openai: Emulator;
  close(): Promise<void>;
}

export async function startAiRig(more: Partial<AiWorkerSettings> = {}): Promise<AiRig> {
  const [anthropic, openai] = await Promise.all([startAnthropic(), startOpenai()]);
  const worker = await startAiWorker({
    anthropic: { apiKey: ANTHROPIC_KEY, baseUrl: anthropic.url },
    openai: { apiKey: OPENAI_KEY, baseUrl: `${openai.url}/v1`, compatible: false },
    ...more,
  });
  return {
    worker,
    anthropic,
    openai,
    async close() {
      await worker.close();
      await Promise.all([anthropic.close(), openai.close()]);
    },
  };
}
