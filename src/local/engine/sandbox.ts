/** What the engine needs from a kind of sandbox; `bubblewrap/` and `plain/` provide it. */
import type { Socket } from "node:net";
import type { ChildProcess } from "node:child_process";
import type { EngineImage } from "./image.ts";
import type { Egress } from "./network/egress.ts";

export type SandboxSpec = {
  name: string;
  /** Private to this sandbox, removed after it; holds `etc/` and `home/`. */
  directory: string;
  image: EngineImage;
  command: string[];
  /** The image's variables with those of the start on top. */
  env: Record<string, string>;
  /** Where captured connections and name lookups go. */
  egress: Egress;
  log: (stream: "stdout" | "stderr" | "engine", line: string) => void;
};

export type ExecSpec = {
  command: string[];
  /** Only these and `PATH`, as in the cloud. */
  env: Record<string, string>;
  cwd: string;
};

export type Sandbox = {
  /** Host process id of the entry process. */
  pid: number;
  /** The exit code, 128 + signal number for a signal. */
  exited: Promise<number>;
  /** Signals the entry process. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL to everything in the sandbox. */
  kill(): void;
  /** A connection to a port inside; rejects when nothing listens there. */
  dial(port: number): Promise<Socket>;
  exec(spec: ExecSpec): ChildProcess;
};

export type Launch = (spec: SandboxSpec) => Promise<Sandbox>;
