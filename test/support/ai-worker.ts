/** The AI gateway in a real workerd, on a free port. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { networkBinding } from "../../src/local/start/network-binding.ts";
import type { CapSettings, PriceOverride } from "../../src/protocol/spend-settings.ts";
import type { AiConfig } from "../../src/worker/ai/providers.ts";
import { withNewChild } from "./new-child.ts";
import { BY_ITSELF, workerModule, type WorkerModule } from "./worker-module.ts";

export interface AiWorkerSettings extends AiConfig {
  /** `provider/model` that the agent is configured with. */
  configured?: string;
  caps?: CapSettings;
  prices?: PriceOverride[];
  firstByteMs?: number;
  bodyMs?: number;
  idleMs?: number;
  maxRequestBytes?: number;
  /** Where the ledger lives; a folder of its own, gone at the end, when absent. */
  stateDir?: string;
}

export interface AiWorker {
  /** `http://127.0.0.1:port`; `/anthropic`, `/openai/v1` and the admin's `/api` are below it. */
  url: string;
  /** Everything the Worker has logged so far. */
  logs(): string;
  /** The runtime's process id. */
  pid(): number;
  close(): Promise<void>;
}

let worker: Promise<WorkerModule> | undefined;

export async function startAiWorker(settings: AiWorkerSettings): Promise<AiWorker> {
  worker ??= workerModule("ai-worker.worker.ts");
  const {
    configured = "anthropic/claude-opus-5",
    caps = {},
    prices = [],
    firstByteMs,
    bodyMs,
    idleMs,
    maxRequestBytes,
    stateDir,
    ...config
  } = settings;
  const folder = stateDir ?? (await mkdtemp(path.join(tmpdir(), "moltworker-ai-")));
  const lines: string[] = [];
  const options = convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    ...BY_ITSELF,
    logRequests: false,
    handleStructuredLogs: ({ message }) => lines.push(message),
    resourcePersistencePath: folder,
    workers: [
      {
        name: "ai",
        ...(await worker),
        bindings: {
          SETTINGS: JSON.stringify({
            config,
            configured,
            caps,
            prices,
            firstByteMs,
            bodyMs,
            idleMs,
            maxRequestBytes,
          }),
        },
        serviceBindings: { INTERNET: await networkBinding() },
        durableObjects: { SPEND: { className: "Spend", useSQLite: true } },
        // Calls of a sandbox do not pass Miniflare's own entry Worker either.
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  });
  const { value: miniflare, pid } = await withNewChild(async () => {
    const started = new Miniflare(options);
    await started.ready;
    return started;
  });
  const url = await miniflare.unsafeGetDirectURL("ai");
  return {
    url: url.origin,
    logs: () => lines.join("\n"),
    pid,
    async close() {
      await miniflare.dispose();
      if (stateDir === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
