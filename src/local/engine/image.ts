/** What a sandbox is made of: the local counterpart of a container image. */

export type Bind = {
  /** Absolute path on the host; it must exist. */
  source: string;
  /** Absolute path in the sandbox. */
  target: string;
  mode: "ro" | "rw";
};

export type EngineImage = {
  entrypoint: string[];
  /** `HOME` names the one directory that is private to each sandbox and writable. */
  env: Record<string, string>;
  cwd: string;
  hostname: string;
  binds: Bind[];
  memoryBytes?: number;
  pidsMax?: number;
  /** Processors, as a fraction: 0.5 is half of one. */
  cpus?: number;
};

export type LogEntry = {
  /** The container's name. */
  container: string;
  /** `engine` marks what the engine itself has to say about the container. */
  stream: "stdout" | "stderr" | "engine";
  line: string;
};

export type Log = (entry: LogEntry) => void;

/** Where the runtime's certificate authority appears; the path is the cloud's. */
export const AUTHORITY_PATH = "/etc/cloudflare/certs/cloudflare-containers-ca.crt";

/** Where every sandbox finds the seccomp filter for the agent's nested sandbox. */
export const AGENT_FILTER_PATH = "/opt/moltworker/agent.bpf";

/** The address, besides loopback, that a sandbox has; the cloud dials containers at the same one. */
export const SANDBOX_ADDRESS = "10.0.0.1";

export function homeOf(image: EngineImage): string {
  return image.env["HOME"] ?? "/root";
}
