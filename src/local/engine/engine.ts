/**
 * The local sandbox engine: what workerd takes for Docker, without Docker.
 *
 * It serves the Docker Engine API on a unix socket and runs each container's program as a process
 * in bubblewrap (or, with kind `plain`, as a bare child process). The network sidecar that workerd
 * asks for is part of this process.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeHost, findTool, searchPath } from "./bubblewrap/host.ts";
import { createBubblewrapLauncher } from "./bubblewrap/launch.ts";
import { removeTree } from "./directories.ts";
import { createDockerApi } from "./docker/api.ts";
import { Containers } from "./docker/containers.ts";
import { Execs } from "./docker/execs.ts";
import { type EngineImage, type Log, SANDBOX_ADDRESS } from "./image.ts";
import { createLimiter } from "./limits.ts";
import { createPeers } from "./network/peers.ts";
import { createPlainLauncher } from "./plain/launch.ts";
import type { Launch } from "./sandbox.ts";
import { filterArchitecture, innerSeccompFilter, outerSeccompFilter } from "./seccomp.ts";

export type { EngineImage } from "./image.ts";
export { probeEngines } from "./probe.ts";

export type EngineOptions = {
  kind: "bubblewrap" | "plain";
  /** The engine keeps everything in `engine/` below it; one engine at a time may use it. */
  stateDir: string;
  /** By image name, as the Durable Object's container names it. */
  images: Record<string, EngineImage>;
  log: Log;
  /** Which address of the sandbox connections from outside go to; the cloud uses the container's. */
  ingressAddress?: "loopback" | "container";
};

export type Engine = {
  /** Path of the unix socket. */
  socketPath: string;
  kind: "bubblewrap" | "plain";
  /** What this host does not allow, as plain sentences. */
  limits: string[];
  /** The host user that a sandbox's files must belong to. */
  owner: { uid: number; gid: number };
  /** Ends every sandbox and removes everything the engine made. */
  close(): Promise<void>;
};

/** The image name by which the runtime asks for the network sidecar. */
export const SIDECAR_IMAGE = "moltworker/network-sidecar";

/** A unix socket's path is limited to 104 bytes on some systems. */
const LONGEST_SOCKET_PATH = 100;

async function socketFolder(directory: string): Promise<{ path: string; temporary: boolean }> {
  if (Buffer.byteLength(join(directory, "docker.sock")) <= LONGEST_SOCKET_PATH) {
    return { path: directory, temporary: false };
  }
  return { path: await mkdtemp(join(tmpdir(), "moltworker-")), temporary: true };
}

type Parts = { launch: Launch; limits: string[]; owner: Engine["owner"] };

async function bubblewrap(options: EngineOptions, directory: string): Promise<Parts> {
  const host = describeHost(searchPath(process.env["PATH"] ?? ""));
  if (host === undefined) throw new Error("bubblewrap or a tool it is used with is not installed");
  const limiter = await createLimiter();
  const architecture = filterArchitecture(process.arch);
  const agentFile = join(directory, "agent.bpf");
  await writeFile(agentFile, architecture === undefined ? "" : innerSeccompFilter(architecture));
  await chmod(agentFile, 0o644);
  const launch = createBubblewrapLauncher({
    host,
    limiter,
    ingressAddress: options.ingressAddress === "container" ? SANDBOX_ADDRESS : "127.0.0.1",
    filters: {
      outer: architecture === undefined ? undefined : outerSeccompFilter(architecture),
      agentFile,
    },
  });
  const unfiltered =
    architecture === undefined
      ? [`No system call filter is known for ${process.arch}: sandboxes run without one.`]
      : [];
  return {
    launch,
    limits: [...limiter.missing, ...unfiltered],
    owner: { uid: host.uid, gid: host.gid },
  };
}

function plain(): Parts {
  return {
    launch: createPlainLauncher(),
    limits: ["Nothing is isolated: the agent is a program of this user."],
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  };
}

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const directory = join(options.stateDir, "engine");
  const sandboxes = join(directory, "sandboxes");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  // An engine that was killed leaves its sandboxes' files; their processes died with it.
  await removeTree(sandboxes);
  await mkdir(sandboxes);

  const { launch, limits, owner } =
    options.kind === "bubblewrap" ? await bubblewrap(options, directory) : plain();
  const python = findTool("python3", searchPath(process.env["PATH"] ?? ""));
  const peers = createPeers(python);
  const containers = new Containers({
    images: options.images,
    sidecarImage: SIDECAR_IMAGE,
    directory: sandboxes,
    launch,
    peers,
    log: options.log,
  });
  const server = createDockerApi(containers, new Execs());
  const folder = await socketFolder(directory);
  const socketPath = join(folder.path, "docker.sock");
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o600);

  return {
    socketPath,
    kind: options.kind,
    limits,
    owner,
    async close() {
      server.close();
      await containers.close();
      server.closeAllConnections();
      peers.close();
      await removeTree(sandboxes);
      if (folder.temporary) await rm(folder.path, { recursive: true, force: true });
    },
  };
}
