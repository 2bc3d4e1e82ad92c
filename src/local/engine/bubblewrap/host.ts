/** What of the host the bubblewrap engine works with: its tools and the user sandboxes belong to. */
import { accessSync, constants, readFileSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The host user of every sandbox when the engine runs as root. Root's own id never enters one, so
 * that a way out of the sandbox leads to a user who owns nothing.
 */
const SANDBOX_USER = 65_532;

/**
 * What the tools get for an environment. Theirs is readable in the sandbox, so it says nothing about
 * this host's user; they are called by their full paths.
 */
export const TOOL_ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" };

export const TOOL_NAMES = ["bwrap", "ip", "nsenter", "setpriv"] as const;
export type ToolName = (typeof TOOL_NAMES)[number];

export type Host = {
  /** Full paths. */
  tools: Record<ToolName, string>;
  /** Whether the engine runs as root and starts sandboxes as another user. */
  switchesUser: boolean;
  /** The host user and group that sandboxes run as. */
  uid: number;
  gid: number;
  /** Put before a command to become that user. */
  asOwner: string[];
  /** Put before a command to start it with none of this process's own descriptors. */
  closingDescriptors: string[];
};

export function searchPath(path: string): string {
  return [...new Set([...path.split(delimiter), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])]
    .filter((folder) => folder !== "")
    .join(delimiter);
}

export function findTool(name: string, path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** bash, because other shells cannot name a descriptor above 9. It reads no start file. */
const CLOSE = 'for fd in $1; do eval "exec $fd>&-"; done; shift; exec "$@"';
const O_CLOEXEC = 0o2000000;
/** The engine's own pipes to a program lie below this and replace whatever was there. */
const FIRST_SPARE = 10;

/**
 * Descriptors that this process was started with and passes on to what it starts. Node marks its own
 * as not inherited, but a shell or a service manager may have left some that are: in a sandbox they
 * would be a hole to the host.
 */
function inheritedDescriptors(): number[] {
  return readdirSync("/proc/self/fdinfo")
    .map(Number)
    .filter((descriptor) => {
      if (descriptor < FIRST_SPARE) return false;
      try {
        const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8");
        const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(text)?.[1] ?? "0", 8);
        return (flags & O_CLOEXEC) === 0;
      } catch {
        // The one that read the folder has been closed.
        return false;
      }
    });
}

/** Undefined for a tool that is missing; `probeEngines` says which and what to do. */
export function describeHost(path: string): Host | undefined {
  const [bwrap, ip, nsenter, setpriv] = TOOL_NAMES.map((name) => findTool(name, path));
  if (bwrap === undefined || ip === undefined) return undefined;
  if (nsenter === undefined || setpriv === undefined) return undefined;
  const tools = { bwrap, ip, nsenter, setpriv };
  const inherited = inheritedDescriptors();
  const closingDescriptors =
    inherited.length === 0 ? [] : ["bash", "--norc", "-c", CLOSE, "bash", inherited.join(" ")];
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const common = { tools, closingDescriptors };
  if (uid !== 0) return { ...common, switchesUser: false, uid, gid, asOwner: [] };
  const user = String(SANDBOX_USER);
  const asOwner = [setpriv, "--reuid", user, "--regid", user, "--clear-groups", "--"];
  return { ...common, switchesUser: true, uid: SANDBOX_USER, gid: SANDBOX_USER, asOwner };
}
