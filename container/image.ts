/**
 * The sandbox image, described once. `container/Dockerfile` and `container/packages.json` are
 * generated from this by the build, and the local image is assembled from it, so that the cloud's
 * sandbox and the local one cannot drift apart.
 */

/** A program the agent's work needs, and the Debian package that brings it. */
export interface Tool {
  program: string;
  package: string;
}

interface Base {
  image: string;
  tag: string;
  /**
   * `sha256:…` of the tag's manifest list. Add it where a registry can be asked
   * (`docker buildx imagetools inspect node:<tag>`): the generated Dockerfile then pins it.
   */
  digest?: string;
}

export const BASE: Base = {
  image: "node",
  /** The same Node release that `package.json` pins for this machine. */
  tag: "24.21.0-bookworm-slim",
};

/** What an agent that works is expected to find, skills included. */
export const TOOLS: readonly Tool[] = [
  { program: "bash", package: "bash" },
  { program: "git", package: "git" },
  { program: "curl", package: "curl" },
  { program: "python3", package: "python3" },
  { program: "jq", package: "jq" },
  { program: "rg", package: "ripgrep" },
  { program: "ssh", package: "openssh-client" },
  { program: "openssl", package: "openssl" },
  { program: "unzip", package: "unzip" },
  { program: "zip", package: "zip" },
  { program: "xz", package: "xz-utils" },
  { program: "file", package: "file" },
  { program: "patch", package: "patch" },
  { program: "ps", package: "procps" },
  { program: "less", package: "less" },
  { program: "tmux", package: "tmux" },
  { program: "sqlite3", package: "sqlite3" },
];

/** Packages without a program of their own that the image needs all the same. */
export const LIBRARIES: readonly string[] = ["ca-certificates", "tini"];

/** Plugins that the gateway must find among its own (see `bundle-plugins.mjs`). */
export const BUNDLED_PLUGINS: readonly string[] = ["discord", "slack"];

/**
 * Packages whose optional native part the agent needs (see `add-native-parts.mjs`). No other optional
 * package is installed.
 */
export const NATIVE_PARTS: readonly string[] = ["@openclaw/fs-safe"];

/** Where things are inside the sandbox, in the cloud and locally alike. */
export const SANDBOX = {
  node: "/opt/node",
  openclawModules: "/opt/openclaw/node_modules",
  openclaw: "/opt/openclaw/node_modules/openclaw",
  moltworker: "/opt/moltworker",
  supervisor: "/opt/moltworker/supervisor.mjs",
  /** What the supervisor runs as the agent; it looks for it beside itself. */
  agentProgram: "/opt/moltworker/agent-program.mjs",
  skills: "/opt/moltworker/skills",
  /**
   * Compiled code of the gateway, baked into the image or by the local build, read-only. The
   * supervisor never reads it. Where it is absent the gateway fills one in its own home.
   */
  compileCache: "/opt/moltworker/compile-cache",
  home: "/home/agent",
  run: "/run/moltworker",
} as const;

export const AGENT_USER = { name: "agent", uid: 1000, gid: 1000 } as const;

export const ENTRYPOINT: readonly string[] = ["/opt/node/bin/node", SANDBOX.supervisor];

/**
 * The first process of a container: it passes signals on and collects what programs of the agent
 * leave behind, which Node does not. Locally bubblewrap brings an init of its own.
 */
export const CONTAINER_INIT: readonly string[] = ["/usr/bin/tini", "--"];

export const CWD = SANDBOX.home;

export const HOSTNAME = "moltworker";

/** The supervisor's whole environment; it builds the gateway's own from it. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  // glibc would give each thread of Node's pool memory of its own to hold on to: megabytes each.
  MALLOC_ARENA_MAX: "2",
  MOLTWORKER_HOME: SANDBOX.home,
  MOLTWORKER_RUN_DIR: SANDBOX.run,
  MOLTWORKER_OPENCLAW_DIR: SANDBOX.openclaw,
  MOLTWORKER_COMPILE_CACHE: SANDBOX.compileCache,
  MOLTWORKER_ENGINE: "container",
  MOLTWORKER_IMAGE: `${BASE.image}:${BASE.tag}`,
};

/** What a sandbox may use here; in the cloud the instance type says it. */
export const LIMITS = {
  /** The gateway needs 0.9 to 1.25 GB; the rest is for the programs the agent runs. */
  memoryBytes: 4 * 1024 ** 3,
  pidsMax: 1024,
} as const;
