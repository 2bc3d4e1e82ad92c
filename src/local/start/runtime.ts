/** workerd with the local Worker in it, through Miniflare. */
import { readFile } from "node:fs/promises";
import { convertV4MiniflareOptions } from "miniflare";
import type { MiniflareOptions } from "miniflare";
import { COMPATIBILITY_DATE } from "../../worker/version.ts";
import { DEFAULT_AGENT_ID } from "../../protocol/names.ts";
import { KEEP_TIMES, keepRuntime } from "./liveness/kept-runtime.ts";
import type { Carried } from "./liveness/kept-runtime.ts";
import { lookAt } from "./liveness/look.ts";
import { networkBinding } from "./network-binding.ts";
import { operatorOf } from "./operator-client.ts";
import type { Operator } from "./operator-client.ts";

/** Admins come from this machine only, whatever address the agent listens on. */
export const ADMIN_ADDRESS = "127.0.0.1";
const LOOK_MS = 5_000;

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
  /** workerd gives no answer; what is done about it. */
  onSilent(text: string): void;
}

export interface Runtime {
  operator: Operator;
  /** Loads the Worker's bundle again. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export type StartedRuntime = { ok: true; runtime: Runtime } | { ok: false; reason: string };

/** @param ending from here on nothing is mended that only gives no answer */
export async function startRuntime(
  options: RuntimeOptions,
  ending: AbortSignal,
): Promise<StartedRuntime> {
  // Only this machine reaches the admin's port, so that nobody else can keep it busy.
  const look = () => new URL(`http://${ADMIN_ADDRESS}:${options.adminPort}/healthz`);
  /** Since workerd was started last. */
  let answered = false;
  try {
    const kept = await keepRuntime({
      options: (carried) => miniflareOptions(options, carried),
      look,
      times: KEEP_TIMES,
      ending,
      onLog: options.onLog,
      onRestart() {
        answered = false;
        options.onRestart();
      },
      onSilent: options.onSilent,
    });
    const operator = operatorOf({
      ...{ miniflare: () => kept.miniflare(), worker: "operator", agentId: DEFAULT_AGENT_ID },
      async answers() {
        answered ||= (await lookAt(look(), LOOK_MS)) === "answered";
        return answered;
      },
    });
    const reload = () => {
      answered = false;
      return kept.reload();
    };
    return { ok: true, runtime: { operator, reload, close: kept.close } };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function miniflareOptions(
  options: RuntimeOptions,
  carried: Carried,
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
    ...carried,
    handleStructuredLogs: ({ level, message }) => options.onLog(level, message),
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
