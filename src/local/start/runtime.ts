/** workerd with the local Worker in it, through Miniflare. */
import { readFile } from "node:fs/promises";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import type { MiniflareOptions } from "miniflare";
import { COMPATIBILITY_DATE } from "../../worker/version.ts";
import { DEFAULT_AGENT_ID } from "../../protocol/names.ts";
import { networkBinding } from "./network-binding.ts";
import { operatorOf } from "./operator-client.ts";
import type { Operator } from "./operator-client.ts";
import { RuntimeLog } from "./runtime-log.ts";
import { startAgain } from "./start-again.ts";

/** Admins come from this machine only, whatever address the agent listens on. */
export const ADMIN_ADDRESS = "127.0.0.1";

export interface RuntimeOptions {
  host: string;
  port: number;
  adminPort: number;
  stateDir: string;
  workerBundle: string;
  operatorBundle: string;
  assets: string;
  /** Settings and secrets of the Worker. */
  bindings: Record<string, string>;
  image: string;
  /** The Docker API that runs the sandboxes. */
  engineSocket: string;
  /** Unix socket of the browser binding; undefined when there is no browser. */
  browserSocket: string | undefined;
  /** The image by which workerd asks for the part that carries the outbound traffic. */
  interceptorImage: string;
  onLog(level: string, message: string): void;
  /** workerd died and runs again, on the same ports and the same storage. */
  onRestart(): void;
}

export interface Runtime {
  operator: Operator;
  /** Loads the Worker's bundle again. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export type StartedRuntime = { ok: true; runtime: Runtime } | { ok: false; reason: string };

export async function startRuntime(options: RuntimeOptions): Promise<StartedRuntime> {
  const before = signalListeners();
  const ended = new AbortController();
  let up = false;
  const recover = startAgain(async () => {
    await miniflare.setOptions(await miniflareOptions(options, log));
    options.onRestart();
  }, ended.signal);
  const log = new RuntimeLog({
    onLog: options.onLog,
    onGaveUp: () => {
      if (up) void recover();
    },
  });
  const miniflare = new Miniflare(await miniflareOptions(options, log));
  // Miniflare ends the process at a signal without waiting for anything; this start has its own end.
  dropSignalListeners(before);
  try {
    await miniflare.ready;
  } catch (error) {
    await miniflare.dispose().catch(() => {});
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
  up = true;
  return {
    ok: true,
    runtime: {
      operator: operatorOf(() => miniflare, "operator", DEFAULT_AGENT_ID),
      async reload() {
        await miniflare.setOptions(await miniflareOptions(options, log));
      },
      async close() {
        ended.abort();
        await miniflare.dispose();
      },
    },
  };
}

async function miniflareOptions(
  options: RuntimeOptions,
  log: RuntimeLog,
): Promise<MiniflareOptions> {
  return convertV4MiniflareOptions({
    // Miniflare's own front is used by nobody; both faces have sockets of their own, straight to them.
    host: "127.0.0.1",
    port: 0,
    unsafeTriggerHandlers: false,
    unsafeLocalExplorer: false,
    // Without this the runtime would ask an outside service for made-up request properties.
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    log,
    handleStructuredLogs: ({ level, message }) => options.onLog(level, message),
    unsafeHandleRuntimeRestart: options.onRestart,
    resourcePersistencePath: options.stateDir,
    containerEngine: {
      localDocker: {
        socketPath: `unix://${options.engineSocket}`,
        containerEgressInterceptorImage: options.interceptorImage,
      },
    },
    workers: [
      {
        name: "moltworker",
        modules: true,
        script: await readFile(options.workerBundle, "utf8"),
        compatibilityDate: COMPATIBILITY_DATE,
        bindings: options.bindings,
        durableObjects: {
          AGENT: {
            className: "Agent",
            useSQLite: true,
            container: { imageName: options.image },
          },
          ADMIN_CODES: { className: "AdminCodes", useSQLite: true },
        },
        serviceBindings: {
          INTERNET: await networkBinding(),
          ...(options.browserSocket === undefined
            ? {}
            : { BROWSER: { external: { address: `unix:${options.browserSocket}`, http: {} } } }),
        },
        r2Buckets: { BACKUPS: "moltbot-data" },
        assets: {
          directory: options.assets,
          binding: "ASSETS",
          run_worker_first: true,
          routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
          assetConfig: { html_handling: "none", not_found_handling: "none" },
        },
        unsafeDirectSockets: [
          { host: options.host, port: options.port, entrypoint: "AgentEntry" },
          { host: ADMIN_ADDRESS, port: options.adminPort, entrypoint: "AdminEntry" },
        ],
      },
      {
        name: "operator",
        modules: true,
        script: await readFile(options.operatorBundle, "utf8"),
        compatibilityDate: COMPATIBILITY_DATE,
        durableObjects: { AGENT: { className: "Agent", scriptName: "moltworker" } },
      },
    ],
  });
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function signalListeners() {
  return new Map(SIGNALS.map((signal) => [signal, new Set(process.listeners(signal))]));
}

function dropSignalListeners(keep: ReturnType<typeof signalListeners>): void {
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal)) {
      if (!keep.get(signal)?.has(listener)) process.off(signal, listener);
    }
  }
}
