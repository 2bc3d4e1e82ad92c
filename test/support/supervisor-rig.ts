/** Runs the bundled supervisor in scratch folders and speaks to its control port. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { sandboxBundle } from "../../src/build/bundles.ts";
import { freePort } from "../../src/local/free-port.ts";
import type { BootDocument } from "../../src/protocol/boot.ts";
import type { SupervisorStatus } from "../../src/protocol/control.ts";
import { logsReply, supervisorStatus } from "../../src/protocol/control.ts";
import { packagedCacheFolder } from "../../src/supervisor/gateway/command.ts";

export const OPENCLAW = resolve(import.meta.dirname, "../../container/node_modules/openclaw");
export const CONTROL_TOKEN = "control-token-of-this-test-0123456789abcdef";
export const GATEWAY_TOKEN = "gateway-token-of-this-test-0123456789abcdef";

export interface Folders {
  root: string;
  home: string;
  run: string;
  bundle: string;
}

export interface RigOptions {
  openclaw?: string;
  env?: Record<string, string>;
  /** How to run the supervisor; by default as it is, without isolation. */
  launch?: (command: readonly string[], folders: Folders) => readonly string[];
  /** Puts files into the folders first; may name another package in the gateway's place. */
  prepare?: (folders: Folders) => Promise<{ openclaw: string }>;
  /** The folders as the supervisor sees them. */
  inside?: Partial<Folders>;
}

export interface SupervisorRig {
  folders: Folders;
  frontPort: number;
  controlPort: number;
  gatewayPort: number;
  process: ChildProcess;
  exited: Promise<number | undefined>;
  /** Everything it printed. */
  output(): string;
  control(path: string, init?: RequestInit): Promise<Response>;
  boot(document?: Partial<BootDocument>): Promise<Response>;
  status(): Promise<SupervisorStatus>;
  /** Waits for a state of the gateway. */
  until(
    fits: (status: SupervisorStatus) => boolean,
    deadlineMs?: number,
  ): Promise<SupervisorStatus>;
  logs(source?: "gateway" | "supervisor"): Promise<string>;
  close(): Promise<void>;
}

export async function startRig(options: RigOptions = {}): Promise<SupervisorRig> {
  const folders = await makeFolders();
  const prepared = await options.prepare?.(folders);
  const [frontPort, controlPort, gatewayPort, browserPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const seen = { ...folders, ...options.inside };
  const command = [process.execPath, seen.bundle];
  const [program = "", ...args] = options.launch?.(command, folders) ?? command;
  const child = spawn(program, args, {
    cwd: folders.root,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      MOLTWORKER_FRONT_PORT: String(frontPort),
      MOLTWORKER_CONTROL_PORT: String(controlPort),
      MOLTWORKER_GATEWAY_PORT: String(gatewayPort),
      MOLTWORKER_BROWSER_PORT: String(browserPort),
      MOLTWORKER_HOME: seen.home,
      MOLTWORKER_RUN_DIR: seen.run,
      MOLTWORKER_OPENCLAW_DIR: options.openclaw ?? prepared?.openclaw ?? OPENCLAW,
      MOLTWORKER_COMPILE_CACHE: COMPILE_CACHE,
      ...(options.launch === undefined ? { MOLTWORKER_ISOLATION: "none" } : {}),
      ...options.env,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const exited = once(child, "exit").then(([code]) =>
    typeof code === "number" ? code : undefined,
  );

  const control = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${controlPort}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${CONTROL_TOKEN}`, ...init.headers },
    });
  const status = async () => supervisorStatus.parse(await (await control("/v1/status")).json());

  const rig: SupervisorRig = {
    folders,
    frontPort,
    controlPort,
    gatewayPort,
    process: child,
    exited,
    output: () => output,
    control,
    status,
    boot: (document = {}) =>
      control("/v1/boot", {
        method: "POST",
        body: JSON.stringify({ ...bootDocument(), ...document }),
      }),
    async until(fits, deadlineMs = 110_000) {
      const giveUp = Date.now() + deadlineMs;
      for (;;) {
        const present = await status();
        if (fits(present)) return present;
        if (Date.now() > giveUp) {
          throw new Error(`still ${JSON.stringify(present)}\n${output.slice(-4_000)}`);
        }
        await sleep(100);
      }
    },
    async logs(source) {
      const reply = await control(`/v1/logs${source === undefined ? "" : `?source=${source}`}`);
      const { lines } = logsReply.parse(await reply.json());
      return lines.map((line) => line.text).join("\n");
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        const force = setTimeout(() => child.kill("SIGKILL"), 25_000);
        await exited;
        clearTimeout(force);
      }
      await rm(folders.root, { recursive: true, force: true });
    },
  };
  while (!(await answers(rig))) {
    if (child.exitCode !== null) throw new Error(`the supervisor ended: ${output}`);
    await sleep(50);
  }
  return rig;
}

export function bootDocument(): BootDocument {
  return {
    protocol: 1,
    agentId: "main",
    startGeneration: 1,
    controlToken: CONTROL_TOKEN,
    gatewayToken: GATEWAY_TOKEN,
    gatewayConfig: gatewayConfigText(),
    approvedDevices: [],
    gatewayDeadlineMs: 110_000,
  };
}

/** A small config of the kind the Durable Object generates, with the image's paths in it. */
export function gatewayConfigText(options: { modelUrl?: string; extra?: object } = {}): string {
  const config = {
    agents: { defaults: { model: { primary: "test/echo" }, heartbeat: { every: "0m" } } },
    gateway: {
      auth: { mode: "token", token: { source: "file", provider: "gatewaytoken", id: "value" } },
      bind: "loopback",
      controlUi: { allowedOrigins: ["http://localhost:8787"] },
      mode: "local",
      nodes: { pairing: { autoApproveLocal: false, sshVerify: false } },
      trustedProxies: ["127.0.0.1", "::1"],
      ...options.extra,
    },
    memory: { search: { enabled: false } },
    models: {
      catalogRefresh: { enabled: false },
      providers: {
        test: {
          api: "openai-completions",
          apiKey: "none",
          baseUrl: options.modelUrl ?? "http://127.0.0.1:1/v1",
          models: [{ id: "echo", name: "echo" }],
        },
      },
    },
    secrets: {
      providers: {
        gatewaytoken: {
          mode: "singleValue",
          path: "/run/moltworker/agent/gateway-token",
          source: "file",
        },
      },
    },
    update: { checkOnStart: false },
  };
  return JSON.stringify(config, null, 2);
}

/** Kept between runs, as an image keeps it: compiling the gateway anew takes seconds. */
const COMPILE_CACHE = resolve(
  import.meta.dirname,
  "../../node_modules/.cache/gateway-compile-cache",
);

async function makeFolders(): Promise<Folders> {
  const root = await mkdtemp(join(tmpdir(), "supervisor-"));
  // The agent may be another user.
  await chmod(root, 0o755);
  const folders = {
    root,
    home: join(root, "home"),
    run: join(root, "run"),
    bundle: join(root, "bundle", "supervisor.mjs"),
  };
  await mkdir(folders.home);
  await mkdir(join(COMPILE_CACHE, packagedCacheFolder(OPENCLAW)), { recursive: true });
  const source = (name: string) => resolve(import.meta.dirname, "../../src/supervisor", name);
  await build(sandboxBundle(source("main.ts"), folders.bundle));
  const agentProgram = join(dirname(folders.bundle), "agent-program.mjs");
  await build(sandboxBundle(source("agent-program.ts"), agentProgram));
  return folders;
}

async function answers(rig: SupervisorRig): Promise<boolean> {
  try {
    return (await rig.control("/v1/hello")).ok;
  } catch {
    return false;
  }
}
