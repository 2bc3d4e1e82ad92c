/** The agent's Durable Object, real workerd, the local engine, and a scripted sandbox. */
import {
  convertV4MiniflareOptions,
  fetch as openUpgrade,
  Miniflare,
  type Request,
  Response,
} from "miniflare";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { probeEngines, SIDECAR_IMAGE, startEngine } from "../../src/local/engine/engine.ts";
import { AUTHORITY_PATH } from "../../src/local/engine/image.ts";
import { freePort } from "../../src/local/free-port.ts";
import { RuntimeLog } from "../../src/local/start/runtime-log.ts";
import { startAgain } from "../../src/local/start/start-again.ts";
import type { AgentStatus } from "../../src/worker/agent-calls.ts";
import { killDescendants } from "./process-tree.ts";
import { BY_ITSELF, workerModule } from "./worker-module.ts";

/** A device in the answer to `device.pair.list`. */
export interface DeviceRow {
  deviceId: string;
  requestId?: string;
  displayName?: string;
  ts?: number;
  lastSeenAtMs?: number;
  connected?: boolean;
  tokens?: { lastUsedAtMs?: number }[];
}

export interface Scenario {
  crashAtStart?: number;
  crashAtBoot?: number;
  silentMs?: number;
  bootMs?: number;
  protocol?: number;
  gateway?: "ready" | "failed" | "never";
  gatewayMs?: number;
  gatewayError?: string;
  connections?: number;
  busy?: boolean;
  /** Why it may not be put to sleep. */
  awake?: "busy" | "not-kept";
  /** Milliseconds for which its state has not been kept. */
  unkeptFor?: number;
  /** Why the backup at a stop failed. */
  lastBackup?: string;
  /** Why a backup fails. */
  unkeepable?: "store" | "closed";
  pending?: DeviceRow[];
  paired?: DeviceRow[];
  approveFails?: boolean;
  devicesFail?: boolean;
  /** What the gateway's listener answers to a message; taken by default. */
  listener?: "takes" | "refuses" | "is not there";
  /** False when no backup is ever committed. */
  keeps?: boolean;
  /** How long a message is with the gateway before a backup holds it. */
  keepMs?: number;
  /** When the next scheduled job is due. */
  nextDue?: number | null;
}

export interface AgentRig {
  url: URL;
  /** What the next start of the sandbox does. */
  scenario(scenario: Scenario): Promise<void>;
  /** A method of the Durable Object. */
  call(method: string, ...args: unknown[]): Promise<unknown>;
  /** What the platform calls every five minutes. */
  schedule(): Promise<void>;
  /** The control token of the sandbox that was booted last. */
  controlToken(): Promise<string>;
  status(): Promise<AgentStatus>;
  /** Waits until the status is as wanted. */
  until(wanted: (status: AgentStatus) => boolean): Promise<AgentStatus>;
  /** What the sandboxes noted since the last reset, one line each. */
  log(): Promise<string[]>;
  /** What the Worker or its Durable Object tried to fetch from outside. */
  fetched: string[];
  /** An object in the bucket: its text, and what it is replaced by. */
  object(key: string): Promise<string>;
  setObject(key: string, text: string): Promise<void>;
  /** SIGKILL from outside, as an out-of-memory killer would. */
  kill(): Promise<void>;
  /** Stops the sandbox's processes where they are, or lets them go on. */
  freeze(frozen: boolean): void;
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
const IMAGE = "moltworker/agent-under-test";
const PROGRAM = "/opt/program/sandbox.ts";

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
  const scenarioFolder = path.join(folder, "scenario");
  const program = path.join(folder, "program");
  await Promise.all([mkdir(scenarioFolder), mkdir(program)]);
  await chmod(scenarioFolder, 0o777);
  const source = path.join(import.meta.dirname, "agent-sandbox.ts");
  await writeFile(path.join(program, "sandbox.ts"), await readFile(source));
  const scenario = async (next: Scenario): Promise<void> => {
    await writeFile(path.join(scenarioFolder, "scenario.json"), JSON.stringify(next));
    await chmod(path.join(scenarioFolder, "scenario.json"), 0o644);
  };
  const logFile = path.join(scenarioFolder, "log");
  const forget = async (): Promise<void> => {
    await writeFile(logFile, "");
    await chmod(logFile, 0o666);
  };
  await scenario({});
  await forget();

  const engine = await startEngine({
    kind: await engineKind(),
    stateDir: path.join(folder, "state"),
    log: () => undefined,
    images: {
      [IMAGE]: {
        entrypoint: ["/opt/node/bin/node", PROGRAM],
        env: {
          HOME: "/home/agent",
          SCENARIO_FOLDER: "/opt/scenario",
          NODE_EXTRA_CA_CERTS: AUTHORITY_PATH,
        },
        cwd: "/opt/program",
        hostname: "moltworker",
        binds: [
          { source: path.dirname(process.execPath), target: "/opt/node/bin", mode: "ro" },
          { source: program, target: "/opt/program", mode: "ro" },
          { source: scenarioFolder, target: "/opt/scenario", mode: "rw" },
        ],
      },
    },
  });
  const module = await workerModule("agent.worker.ts");
  const fetched: string[] = [];
  const outboundService = async (request: Request) => {
    fetched.push(request.url);
    if (world === "" || new URL(request.url).origin !== world) {
      return new Response(null, { status: 502 });
    }
    const { method, headers, url } = request;
    if (headers.get("upgrade") === "websocket") {
      return openUpgrade(url, { headers: { upgrade: "websocket" } });
    }
    const answer = await fetch(url, {
      method,
      headers: [...headers].filter(([name]) => name !== "content-length" && name !== "host"),
      ...(method === "GET" ? {} : { body: await request.text() }),
    });
    return new Response(await answer.arrayBuffer(), { status: answer.status });
  };
  // Chosen here: with 0 each restart of workerd would take another.
  const port = await freePort();
  const optionsWith = (more: Record<string, string>) =>
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port,
      outboundService,
      ...BY_ITSELF,
      handleStructuredLogs: () => undefined,
      log: runtimeLog,
      unsafeHandleRuntimeRestart: () => undefined,
      resourcePersistencePath: path.join(folder, "storage"),
      ...module,
      bindings: {
        MOLTBOT_GATEWAY_TOKEN: "t0ken-of-the-gateway-for-tests-0123456789",
        ANTHROPIC_API_KEY: "sk-ant-planted",
        WORKER_URL: "http://127.0.0.1:8787",
        ...more,
      },
      ...(bucket ? { r2Buckets: { BACKUPS: "moltbot-data" } } : {}),
      durableObjects: {
        AGENT: { className: "Agent", useSQLite: true, container: { imageName: IMAGE } },
      },
      containerEngine: {
        localDocker: {
          socketPath: `unix:${engine.socketPath}`,
          containerEgressInterceptorImage: SIDECAR_IMAGE,
        },
      },
    });
  const ended = new AbortController();
  const recover = startAgain(() => miniflare.setOptions(optionsWith(bindings)), ended.signal);
  const runtimeLog = new RuntimeLog({ onLog: () => undefined, onGaveUp: () => void recover() });
  const miniflare = new Miniflare(optionsWith(bindings));
  const url = await miniflare.ready;

  const call = async (method: string, ...args: unknown[]): Promise<unknown> => {
    const body = JSON.stringify(args);
    const answer = await fetch(new URL(`/__call/${method}`, url), { method: "POST", body });
    const { value, error } = reply.parse(await answer.json());
    if (error !== undefined) throw new Error(error);
    return value;
  };
  const status = async (): Promise<AgentStatus> => (await call("status")) as AgentStatus;
  const log = async (): Promise<string[]> =>
    (await readFile(logFile, "utf8")).split("\n").filter((line) => line !== "");

  return {
    url,
    scenario,
    call,
    async schedule() {
      const worker = await miniflare.getWorker();
      const { outcome } = await worker.scheduled({ cron: "*/5 * * * *" });
      if (outcome !== "ok") throw new Error(`the schedule ended as ${outcome}`);
    },
    controlToken: () => readFile(path.join(scenarioFolder, "control-token"), "utf8"),
    status,
    log,
    fetched,
    async object(key) {
      const found = await (await miniflare.getR2Bucket("BACKUPS")).get(key);
      if (found === null) throw new Error(`there is no ${key}`);
      return found.text();
    },
    async setObject(key, text) {
      await (await miniflare.getR2Bucket("BACKUPS")).put(key, text);
    },
    async until(wanted) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const now = await status();
        if (wanted(now)) return now;
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
      }
      throw new Error(`the status stayed ${JSON.stringify(await status(), null, 2)}`);
    },
    async kill() {
      const running = async () =>
        z
          .array(z.object({ Id: z.string(), Image: z.string() }))
          .parse(JSON.parse(await docker(engine.socketPath, "GET", "/containers/json")));
      const own = (await running()).find(({ Image }) => Image === IMAGE);
      if (own === undefined) throw new Error("no sandbox runs");
      await docker(engine.socketPath, "POST", `/containers/${own.Id}/kill?signal=SIGKILL`);
      for (let tries = 0; tries < TRIES; tries += 1) {
        if (!(await running()).some(({ Id }) => Id === own.Id)) return;
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
      }
      throw new Error("the sandbox outlived SIGKILL");
    },
    freeze(frozen) {
      const signal = frozen ? "SIGSTOP" : "SIGCONT";
      const found = killDescendants(
        process.pid,
        ({ command }) => command.endsWith(`node ${PROGRAM}`),
        signal,
      );
      if (found === 0) throw new Error("no sandbox runs");
    },
    async up() {
      for (let tries = 0; tries < TRIES; tries += 1) {
        if (await status().catch(() => undefined)) return;
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
      }
      throw new Error("workerd does not answer");
    },
    killWorkerd: () =>
      killDescendants(
        process.pid,
        ({ command }) => command.includes("workerd") && command.includes("serve"),
      ),
    deploy: (more) => miniflare.setOptions(optionsWith({ ...bindings, ...more })),
    async reset() {
      await call("setSleepAfter");
      await call("stop");
      await scenario({});
      await forget();
    },
    async close() {
      ended.abort();
      await miniflare.dispose();
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** With 50 ms between them: a minute, since a busy machine takes its time. */
const TRIES = 1200;

async function engineKind(): Promise<"bubblewrap" | "plain"> {
  const { bubblewrap } = await probeEngines();
  return bubblewrap.ok ? "bubblewrap" : "plain";
}

function docker(socketPath: string, method: string, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .request({ socketPath, method, path: target }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(text));
      })
      .on("error", reject)
      .end();
  });
}
