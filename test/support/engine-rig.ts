/** One engine in a process of its own with a real workerd on it, driven over HTTP. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { probeEngines } from "../../src/local/engine/engine.ts";
import { descendants, type TreeProcess } from "./process-tree.ts";

export type EngineCase = {
  name: string;
  kind: "bubblewrap" | "plain" | "docker";
  ingress: "loopback" | "container";
  /** Another user than the test's; only root can ask for one. */
  uid?: number;
};

const DOCKER_SOCKET = "/var/run/docker.sock";
const NOBODY = 65_534;

/** Every engine that this machine can run, entered both ways where there are two. */
export async function enginesPresent(): Promise<EngineCase[]> {
  const cases: EngineCase[] = [{ name: "plain", kind: "plain", ingress: "loopback" }];
  const probes = await probeEngines();
  const asRoot = process.getuid?.() === 0;
  if (probes.bubblewrap.ok) {
    const who = asRoot ? "started by root" : "started by an ordinary user";
    cases.push(
      { name: `bubblewrap ${who}`, kind: "bubblewrap", ingress: "loopback" },
      {
        name: `bubblewrap ${who}, entered through the container's address`,
        kind: "bubblewrap",
        ingress: "container",
      },
    );
    if (asRoot) {
      cases.push({
        name: "bubblewrap started by an ordinary user",
        kind: "bubblewrap",
        ingress: "loopback",
        uid: NOBODY,
      });
    }
  }
  if (probes.docker.ok && existsSync(DOCKER_SOCKET)) {
    cases.push({ name: "docker", kind: "docker", ingress: "container" });
  }
  return cases;
}

const hostEvent = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("ready"),
    url: z.string(),
    folder: z.string(),
    socketPath: z.string(),
    limits: z.array(z.string()),
  }),
  z.object({
    event: z.literal("log"),
    container: z.string(),
    stream: z.enum(["stdout", "stderr", "engine"]),
    line: z.string(),
  }),
  z.object({ event: z.literal("closed"), left: z.array(z.string()) }),
]);

export type LogLine = { container: string; stream: string; line: string };
export type Ran = { code: number | string; stdout: string; stderr: string };

const ran = z.object({
  code: z.union([z.number(), z.string()]),
  stdout: z.string(),
  stderr: z.string(),
});
const answered = z.object({ port: z.number(), answer: z.unknown() });

/** One Durable Object with its container. */
export class Box {
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  /** The WebSocket address of a port of the container. */
  socketUrl(port: number): string {
    return `${this.#base.replace(/^http/, "ws")}/port/${port}/`;
  }

  async operate(operation: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#base}/${operation}`, {
      method: "POST",
      body: JSON.stringify(body ?? {}),
      signal: AbortSignal.timeout(60_000),
    });
    return response.json();
  }

  port(port: number, path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.#base}/port/${port}/${path}`, {
      signal: AbortSignal.timeout(60_000),
      ...init,
    });
  }

  /** Starts the container and waits until its program serves. */
  async start(options: Record<string, unknown> = {}): Promise<void> {
    await this.operate("start", options);
    for (;;) {
      const response = await this.port(8080, "hello");
      if (response.ok) return void (await response.text());
      const { failed } = z.object({ failed: z.string() }).parse(await response.json());
      if (!failed.includes("not listening")) throw new Error(failed);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** An operation of the program in the container. */
  async ask(operation: string, query: unknown = {}, port = 8080): Promise<unknown> {
    const q = encodeURIComponent(JSON.stringify(query));
    const response = await this.port(port, `${operation}?q=${q}`);
    return answered.parse(await response.json()).answer;
  }

  async run(words: string[], env: Record<string, string> = {}): Promise<Ran> {
    return ran.parse(await this.ask("run", { words, env }));
  }

  /** A shell command in the container; its output, and its complaints after it. */
  async shell(script: string, env: Record<string, string> = {}): Promise<string> {
    const { stdout, stderr } = await this.run(["/bin/bash", "-c", script], env);
    return stdout + stderr;
  }
}

export type Rig = {
  engine: EngineCase;
  pid: number;
  folder: string;
  socketPath: string;
  limits: string[];
  logs: LogLine[];
  box(name: string): Box;
  /** Ends it as a program would; what it left of its state folder. */
  close(): Promise<string[]>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
};

const HOST = join(import.meta.dirname, "engine-host.ts");

export async function startRig(engine: EngineCase): Promise<Rig> {
  const asUser =
    engine.uid === undefined
      ? []
      : [
          "setpriv",
          "--reuid",
          String(engine.uid),
          "--regid",
          String(engine.uid),
          "--clear-groups",
          "--",
        ];
  const words = [
    ...asUser,
    ...[process.execPath, HOST, engine.kind === "plain" ? "plain" : "bubblewrap", engine.ingress],
    ...(engine.kind === "docker" ? [DOCKER_SOCKET] : []),
  ];
  const [program = "", ...rest] = words;
  const child: ChildProcess = spawn(program, rest, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: "/tmp", MOLTWORKER_SECRET_OF_THE_HOST: "host-secret" },
  });
  let complaints = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  const logs: LogLine[] = [];
  const ready = Promise.withResolvers<z.infer<typeof hostEvent> & { event: "ready" }>();
  const closed = Promise.withResolvers<string[]>();
  closed.promise.catch(() => {});
  if (child.stdout === null || child.pid === undefined) throw new Error("the host did not start");
  createInterface(child.stdout).on("line", (line) => {
    const event = hostEvent.parse(JSON.parse(line));
    if (event.event === "ready") ready.resolve(event);
    else if (event.event === "log") logs.push(event);
    else closed.resolve(event.left);
  });
  child.once("exit", (code) => {
    const error = new Error(`the host ended with ${code}: ${complaints}`);
    ready.reject(error);
    closed.reject(error);
  });
  const { url, folder, socketPath, limits } = await ready.promise;
  return {
    engine,
    pid: child.pid,
    folder,
    socketPath,
    limits,
    logs,
    box: (name) => new Box(url + name),
    async close() {
      const exit = once(child, "exit");
      child.stdin?.end();
      const left = await closed.promise;
      await exit;
      return left;
    },
    async kill() {
      const exit = once(child, "exit");
      // It is Miniflare's, not the engine's, and outlives the kill of whoever started it.
      const isRuntime = ({ command }: TreeProcess) => /workerd.* serve /.test(command);
      const runtimes = descendants(child.pid ?? Number.NaN).filter(isRuntime);
      child.kill("SIGKILL");
      await exit;
      for (const { pid } of runtimes) process.kill(pid, "SIGKILL");
    },
  };
}
