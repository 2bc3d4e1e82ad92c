/** The containers the runtime has created, and what happens to them. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { within } from "../deadline.ts";
import { removeTree } from "../directories.ts";
import type { EngineImage, Log } from "../image.ts";
import type { Egress } from "../network/egress.ts";
import type { Peers } from "../network/peers.ts";
import { type Sidecar, startSidecar } from "../network/sidecar.ts";
import type { Launch, Sandbox } from "../sandbox.ts";
import { Refusal } from "./refusal.ts";
import type { CreateRequest } from "./requests.ts";

const END_DEADLINE = 15_000;
const DEFAULT_STOP_SECONDS = 10;

type Common = {
  id: string;
  name: string;
  image: string;
  labels: Record<string, string>;
  /** Settled when the container has been removed. */
  removed: PromiseWithResolvers<void>;
};

export type SidecarContainer = Common & { kind: "sidecar"; sidecar?: Sidecar };

export type SandboxContainer = Common & {
  kind: "sandbox";
  directory: string;
  request: CreateRequest;
  description: EngineImage;
  /** Settled when a start under way has succeeded or failed. */
  starting?: Promise<void>;
  /** The sidecar's name: the network this container joins. */
  network: string;
  state: "created" | "starting" | "running" | "exited";
  sandbox?: Sandbox;
  exitCode: number;
  /** Settled with the exit code when it has ended. */
  ended: PromiseWithResolvers<number>;
};

export type Container = SidecarContainer | SandboxContainer;

export type ContainersOptions = {
  images: Record<string, EngineImage>;
  sidecarImage: string;
  directory: string;
  launch: Launch;
  peers: Peers;
  log: Log;
};

export class Containers {
  readonly #options: ContainersOptions;
  readonly #byName = new Map<string, Container>();
  #closing = false;

  constructor(options: ContainersOptions) {
    this.#options = options;
  }

  all(): Container[] {
    return [...this.#byName.values()];
  }

  /** By name or id. */
  get(key: string): Container {
    const found = this.#byName.get(key) ?? this.all().find((container) => container.id === key);
    if (found === undefined) throw new Refusal(404, `No such container: ${key}`);
    return found;
  }

  getSandbox(key: string): SandboxContainer {
    const found = this.get(key);
    if (found.kind === "sidecar") throw new Refusal(409, `${key} is a network sidecar`);
    return found;
  }

  async create(name: string, request: CreateRequest): Promise<Container> {
    if (this.#closing) throw new Refusal(503, "the engine is closing");
    if (this.#byName.has(name)) throw new Refusal(409, `The name ${name} is in use`);
    const id = randomBytes(32).toString("hex");
    const removed = Promise.withResolvers<void>();
    const common = { id, name, image: request.Image, labels: request.Labels, removed };
    if (request.Image === this.#options.sidecarImage) {
      const container: SidecarContainer = { ...common, kind: "sidecar" };
      this.#byName.set(name, container);
      return container;
    }
    const { Mounts, Binds, NetworkMode } = request.HostConfig ?? {};
    if ((Mounts ?? []).length > 0 || (Binds ?? []).length > 0) {
      throw new Refusal(501, "This engine has no volumes, so it cannot restore snapshots");
    }
    const description = this.#options.images[request.Image];
    if (description === undefined) throw new Refusal(404, `No such image: ${request.Image}`);
    const directory = join(this.#options.directory, id.slice(0, 12));
    const container: SandboxContainer = {
      ...common,
      kind: "sandbox",
      directory,
      request,
      description,
      network: (NetworkMode ?? "").replace(/^container:/, ""),
      state: "created",
      exitCode: 0,
      ended: Promise.withResolvers<number>(),
    };
    this.#byName.set(name, container);
    await mkdir(join(directory, "etc"), { recursive: true });
    return container;
  }

  /** False when it runs already. */
  async start(container: Container): Promise<boolean> {
    if (container.kind === "sidecar") return this.#startSidecar(container);
    if (container.state === "running" || container.state === "starting") return false;
    if (container.state === "exited") throw new Refusal(409, "A sandbox runs once: create another");
    const joined = this.#byName.get(container.network);
    if (joined?.kind !== "sidecar" || joined.sidecar === undefined) {
      throw new Refusal(409, `The network sidecar ${container.network} is not running`);
    }
    container.state = "starting";
    const running = this.#run(container, joined.sidecar.egress);
    container.starting = running.catch(() => {});
    await running;
    return true;
  }

  async stop(container: SandboxContainer, seconds: number | undefined): Promise<boolean> {
    const { sandbox } = container;
    if (sandbox === undefined || container.state !== "running") return false;
    const grace = seconds ?? container.request.StopTimeout ?? DEFAULT_STOP_SECONDS;
    sandbox.signal("SIGTERM");
    await within(sandbox.exited, grace * 1000, "a graceful end").catch(() => sandbox.kill());
    await within(sandbox.exited, END_DEADLINE, "the end of a sandbox");
    return true;
  }

  /** False when it does not run. */
  signal(container: SandboxContainer, name: NodeJS.Signals): boolean {
    if (container.sandbox === undefined || container.state !== "running") return false;
    if (name === "SIGKILL") container.sandbox.kill();
    else container.sandbox.signal(name);
    return true;
  }

  async remove(container: Container): Promise<void> {
    this.#byName.delete(container.name);
    if (container.kind === "sidecar") {
      container.sidecar?.close();
    } else {
      await container.starting;
      if (container.sandbox !== undefined) {
        container.sandbox.kill();
        await within(container.sandbox.exited, END_DEADLINE, "the end of a sandbox");
      }
      this.#end(container, container.exitCode);
      await removeTree(container.directory);
    }
    container.removed.resolve();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.all().map((container) => this.remove(container)));
  }

  async #run(container: SandboxContainer, egress: Egress): Promise<void> {
    const { description, request, name } = container;
    try {
      const sandbox = await this.#options.launch({
        name: container.id.slice(0, 12),
        directory: container.directory,
        image: description,
        command: request.Cmd.length > 0 ? request.Cmd : description.entrypoint,
        env: { ...description.env, ...request.Env },
        egress,
        log: (stream, line) => this.#options.log({ container: name, stream, line }),
      });
      container.sandbox = sandbox;
      container.state = "running";
      void sandbox.exited.then((code) => this.#end(container, code));
    } catch (error) {
      this.#end(container, 127);
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log({ container: name, stream: "engine", line: `did not start: ${reason}` });
      throw new Refusal(500, reason);
    }
  }

  #end(container: SandboxContainer, code: number): void {
    if (container.state === "exited") return;
    container.state = "exited";
    container.exitCode = code;
    container.ended.resolve(code);
  }

  async #startSidecar(container: SidecarContainer): Promise<boolean> {
    if (container.sidecar !== undefined) return false;
    const { log, peers } = this.#options;
    const { name } = container;
    container.sidecar = await startSidecar({
      peers,
      dial: (port) => this.#dial(name, port),
      refused: () =>
        log({
          container: name,
          stream: "engine",
          line: "refused a connection to the sandbox that was not the runtime's",
        }),
    });
    return true;
  }

  async #dial(network: string, port: number): ReturnType<Sandbox["dial"]> {
    const inside = this.all().find(
      (container): container is SandboxContainer =>
        container.kind === "sandbox" &&
        container.network === network &&
        container.state === "running",
    );
    if (inside?.sandbox === undefined) throw new Error("no sandbox runs behind this sidecar");
    return inside.sandbox.dial(port);
  }
}
