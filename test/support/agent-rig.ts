/** The agent's Durable Object, real workerd, the local engine, and a scripted sandbox. */
import { convertV4MiniflareOptions } from "miniflare";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { SIDECAR_IMAGE } from "../../src/local/engine/engine.ts";
import { freePort } from "../../src/local/free-port.ts";
import { KEEP_TIMES, keepRuntime } from "../../src/local/start/liveness/kept-runtime.ts";
import type { Carried } from "../../src/local/start/liveness/kept-runtime.ts";
import type { AgentStatus } from "../../src/worker/agent-calls.ts";
import { IMAGE, openAgentBoxes, type AgentBoxes } from "./agent-boxes.ts";
import { outsideOf } from "./agent-outside.ts";
import { killDescendants } from "./process-tree.ts";
import { withinAMinute } from "./within-a-minute.ts";
import { BY_ITSELF, workerModule } from "./worker-module.ts";

export interface AgentRig extends Pick<
  AgentBoxes,
  "scenario" | "controlToken" | "log" | "kill" | "freeze"
> {
  url: URL;
  /** A method of the Durable Object. */
  call(method: string, ...args: unknown[]): Promise<unknown>;
  /** What the platform calls every five minutes. */
  schedule(): Promise<void>;
  status(): Promise<AgentStatus>;
  /** Waits until the status is as wanted. */
  until(wanted: (status: AgentStatus) => boolean): Promise<AgentStatus>;
  /** What the Worker or its Durable Object tried to fetch from outside. */
  fetched: string[];
  /** An object in the bucket: its text, and what it is replaced by. */
  object(key: string): Promise<string>;
  setObject(key: string, text: string): Promise<void>;
  /** Waits until workerd answers. */
  up(): Promise<void>;
  /** SIGKILL of workerd, which starts again on the same storage; 0 while it does. */
  killWorkerd(): number;
  /** Other settings, as a new deployment brings them. */
  deploy(bindings: Record<string, string>): Promise<void>;
  /** Stops the agent and forgets the log. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const reply = z.object({ value: z.unknown().optional(), error: z.string().optional() });

/**
 * @param bindings settings besides those that every agent under test has
 * @param world an origin outside that is there; everything else is refused
 * @param bucket false binds none
 */
export async function startAgentRig(
  bindings: Record<string, string> = {},
  world = "",
  bucket = true,
): Promise<AgentRig> {
  const folder = await mkdtemp(path.join(tmpdir(), "agent-rig-"));
  await chmod(folder, 0o755);
  const boxes = await openAgentBoxes(folder);
  const module = await workerModule("agent.worker.ts");
  const fetched: string[] = [];
  const outboundService = outsideOf(world, fetched);
  // Chosen here: with 0 each restart of workerd would take another.
  const port = await freePort();
  const url = new URL(`http://127.0.0.1:${port}/`);
  let deployed = bindings;
  const options = async (carried: Carried) =>
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port,
      outboundService,
      ...BY_ITSELF,
      handleStructuredLogs: () => undefined,
      ...carried,
      resourcePersistencePath: path.join(folder, "storage"),
      ...module,
      bindings: {
        MOLTBOT_GATEWAY_TOKEN: "t0ken-of-the-gateway-for-tests-0123456789",
        ANTHROPIC_API_KEY: "sk-ant-planted",
        WORKER_URL: "http://127.0.0.1:8787",
        ...deployed,
      },
      ...(bucket ? { r2Buckets: { BACKUPS: "moltbot-data" } } : {}),
      durableObjects: {
        AGENT: { className: "Agent", useSQLite: true, container: { imageName: IMAGE } },
      },
      containerEngine: {
        localDocker: {
          socketPath: `unix:${boxes.socketPath}`,
          containerEgressInterceptorImage: SIDECAR_IMAGE,
        },
      },
    });
  // From a kill until Miniflare is through with the start that follows: it answers a moment before.
  let down = false;
  const notes: string[] = [];
  const kept = await keepRuntime({
    options,
    look: () => new URL("/healthz", url),
    times: KEEP_TIMES,
    ending: new AbortController().signal,
    onLog: (_level, text) => notes.push(text),
    onRestart: () => {
      down = false;
      notes.push("runs again");
    },
    onSilent: (text) => notes.push(text),
  });

  const call = async (method: string, ...args: unknown[]): Promise<unknown> => {
    const body = JSON.stringify(args);
    const answer = await fetch(new URL(`/__call/${method}`, url), { method: "POST", body });
    const { value, error } = reply.parse(await answer.json());
    if (error !== undefined) throw new Error(error);
    return value;
  };
  const status = async (): Promise<AgentStatus> => (await call("status")) as AgentStatus;
  const { scenario, controlToken, log, kill, freeze } = boxes;

  return {
    ...{ url, scenario, controlToken, log, kill, freeze, call, status, fetched },
    async schedule() {
      const worker = await kept.miniflare().getWorker();
      const { outcome } = await worker.scheduled({ cron: "*/5 * * * *" });
      if (outcome !== "ok") throw new Error(`the schedule ended as ${outcome}`);
    },
    async object(key) {
      const found = await (await kept.miniflare().getR2Bucket("BACKUPS")).get(key);
      if (found === null) throw new Error(`there is no ${key}`);
      return found.text();
    },
    async setObject(key, text) {
      await (await kept.miniflare().getR2Bucket("BACKUPS")).put(key, text);
    },
    async until(wanted) {
      const found = await withinAMinute(async () => {
        const now = await status();
        return wanted(now) ? now : undefined;
      });
      if (found !== undefined) return found;
      throw new Error(`the status stayed ${JSON.stringify(await status(), null, 2)}`);
    },
    async up() {
      let said = "";
      const answered = await withinAMinute(async () => {
        if (down) return undefined;
        return status().catch((error: unknown) => {
          said = String(error);
          return undefined;
        });
      });
      if (answered !== undefined) return;
      throw new Error(
        `workerd ${down ? "is down" : "does not answer"}: ${said}; ${notes.join("; ")}`,
      );
    },
    killWorkerd() {
      const killed = killDescendants(
        process.pid,
        ({ command }) => command.includes("workerd") && command.includes("serve"),
      );
      down ||= killed > 0;
      return killed;
    },
    async deploy(more) {
      deployed = { ...bindings, ...more };
      await kept.reload();
    },
    async reset() {
      await call("setSleepAfter");
      await call("stop");
      await scenario({});
      await boxes.forget();
    },
    async close() {
      await kept.close();
      await boxes.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
