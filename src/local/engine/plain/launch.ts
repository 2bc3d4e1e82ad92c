/**
 * Runs a container's program as a bare child process. This isolates nothing: it is for machines
 * without bubblewrap, and whoever offers it says so.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { type Socket, connect } from "node:net";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { SANDBOX_PORTS } from "../../../protocol/names.ts";
import { freePort } from "../../free-port.ts";
import { AUTHORITY_PATH, type Bind, homeOf } from "../image.ts";
import { eachLine } from "../log-lines.ts";
import type { Launch, Sandbox, SandboxSpec } from "../sandbox.ts";
import { startProxy } from "./proxy.ts";
import { hostPath, rewriteWord } from "./rewrite.ts";

const PACKAGE_TARGET = "/opt/openclaw/node_modules/openclaw";

function dialLoopback(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended already.
  }
}

async function environment(
  spec: SandboxSpec,
  binds: Bind[],
  ports: Record<string, number>,
  proxyPort: number,
): Promise<Record<string, string>> {
  const proxy = `http://127.0.0.1:${proxyPort}`;
  const authority = hostPath(binds, AUTHORITY_PATH);
  const given = Object.entries(spec.env).map(([name, value]) => [name, rewriteWord(binds, value)]);
  return {
    PATH: process.env["PATH"] ?? "",
    // An image that binds a home of its own says so itself.
    MOLTWORKER_HOME: hostPath(binds, homeOf(spec.image)),
    ...Object.fromEntries(given),
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    MOLTWORKER_ISOLATION: "none",
    MOLTWORKER_RUN_DIR: hostPath(binds, "/run/moltworker"),
    MOLTWORKER_OPENCLAW_DIR: hostPath(binds, PACKAGE_TARGET),
    MOLTWORKER_CA_FILE: authority,
    ...(existsSync(authority) ? { NODE_EXTRA_CA_CERTS: authority } : {}),
    ...Object.fromEntries(
      ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map((name) => [name, proxy]),
    ),
    NO_PROXY: "localhost,127.0.0.1,::1",
    no_proxy: "localhost,127.0.0.1,::1",
    NODE_USE_ENV_PROXY: "1",
  };
}

export function createPlainLauncher(): Launch {
  return async (spec: SandboxSpec): Promise<Sandbox> => {
    const own = { home: join(spec.directory, "home"), run: join(spec.directory, "run") };
    await mkdir(own.home, { recursive: true, mode: 0o700 });
    await mkdir(own.run, { recursive: true, mode: 0o700 });
    const binds: Bind[] = [
      ...spec.image.binds,
      { source: own.home, target: homeOf(spec.image), mode: "rw" },
      { source: own.run, target: "/run/moltworker", mode: "rw" },
      {
        source: join(spec.directory, "etc/cloudflare"),
        target: dirname(dirname(AUTHORITY_PATH)),
        mode: "ro",
      },
    ];
    const variables = {
      MOLTWORKER_FRONT_PORT: await freePort(),
      MOLTWORKER_CONTROL_PORT: await freePort(),
      MOLTWORKER_GATEWAY_PORT: await freePort(),
      MOLTWORKER_BROWSER_PORT: await freePort(),
    };
    const ports = new Map<number, number>([
      [SANDBOX_PORTS.front, variables.MOLTWORKER_FRONT_PORT],
      [SANDBOX_PORTS.control, variables.MOLTWORKER_CONTROL_PORT],
      [SANDBOX_PORTS.gateway, variables.MOLTWORKER_GATEWAY_PORT],
      [SANDBOX_PORTS.browser, variables.MOLTWORKER_BROWSER_PORT],
    ]);
    const proxy = await startProxy(spec.egress);
    const env = await environment(spec, binds, variables, proxy.port);
    const cwd = hostPath(binds, spec.image.cwd);
    const folder = existsSync(cwd) ? cwd : own.home;
    const [program = "", ...rest] = spec.command.map((word) => rewriteWord(binds, word));
    const child = spawn(program, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env,
      cwd: folder,
      // Its own process group, so that everything it starts can be ended with it.
      detached: true,
    });
    eachLine(child.stdout, (line) => spec.log("stdout", line));
    eachLine(child.stderr, (line) => spec.log("stderr", line));
    const { pid } = child;
    if (pid === undefined) {
      proxy.close();
      const [error]: unknown[] = await once(child, "error");
      throw new Error(`${program} did not start: ${String(error)}`);
    }
    const exited = new Promise<number>((resolve) => {
      child.once("exit", (code, signal) => {
        signalGroup(pid, "SIGKILL");
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    }).finally(() => proxy.close());
    return {
      pid,
      exited,
      signal: (name) => void child.kill(name),
      kill: () => signalGroup(pid, "SIGKILL"),
      dial: (port) => dialLoopback(ports.get(port) ?? port),
      exec(exec) {
        const [command = "", ...words] = exec.command.map((word) => rewriteWord(binds, word));
        const at = hostPath(binds, exec.cwd);
        return spawn(command, words, { env: exec.env, cwd: existsSync(at) ? at : folder });
      },
    };
  };
}
