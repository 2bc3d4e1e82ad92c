/** Memory, process and processor limits of a sandbox, as far as the host lets this user set them. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CONTROLLERS,
  type Controller,
  type Limits,
  hierarchies,
  removeGroup,
  settings,
  usable,
} from "./cgroups.ts";

export type LimitedGroup = {
  /** Put before a command to run it, and all it starts, inside the limits. */
  prefix: string[];
  close(): Promise<void>;
};

export type Limiter = {
  /** What the host does not allow, as plain sentences. */
  missing: string[];
  group(name: string, limits: Limits): LimitedGroup;
};

const WHAT: Record<Controller, string> = {
  memory: "memory",
  pids: "the number of processes",
  cpu: "processor time",
};
const PROBE_DEADLINE = 5_000;

/**
 * The service manager of this user sets limits where the user's own groups cannot. Undefined where
 * there is none that does.
 */
export function serviceManagerPrefix(
  limits: Limits,
  runtimeFolder: string | undefined,
): string[] | undefined {
  if (runtimeFolder === undefined) return undefined;
  const { memoryBytes, pidsMax, cpus } = limits;
  const properties = [
    ...(memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes}`]),
    ...(pidsMax === undefined ? [] : [`TasksMax=${pidsMax}`]),
    ...(cpus === undefined ? [] : [`CPUQuota=${Math.round(cpus * 100)}%`]),
  ];
  return [
    ...["env", `XDG_RUNTIME_DIR=${runtimeFolder}`],
    ...["systemd-run", "--user", "--scope", "--quiet", "--collect"],
    ...properties.flatMap((property) => ["-p", property]),
    ...["--", "env", "-u", "XDG_RUNTIME_DIR"],
  ];
}

const PROBE: Limits = { memoryBytes: 64 * 1024 ** 2, pidsMax: 16, cpus: 1 };

async function serviceManagerLimits(runtimeFolder: string | undefined): Promise<boolean> {
  const prefix = serviceManagerPrefix(PROBE, runtimeFolder);
  if (prefix === undefined) return false;
  const [program = "", ...words] = [...prefix, "true"];
  return new Promise((resolve) => {
    execFile(program, words, { timeout: PROBE_DEADLINE }, (error) => resolve(error === null));
  });
}

const JOIN = 'for group in $1; do echo $$ > "$group/cgroup.procs"; done; shift; exec "$@"';

/** Groups are named after the process whose sandboxes they limit. */
const PREFIX = "moltworker-";

/** A killed engine cannot remove its groups; the next one to start here does. */
async function removeAbandoned(directory: string): Promise<void> {
  for (const name of readdirSync(directory)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`))
      await removeGroup(join(directory, name));
  }
}

/** Hierarchies are found writable or not, never made so. */
export async function createLimiter(): Promise<Limiter> {
  const found = hierarchies(
    readFileSync("/proc/self/mountinfo", "utf8"),
    readFileSync("/proc/self/cgroup", "utf8"),
  )
    .map(usable)
    .filter((hierarchy) => hierarchy.controllers.length > 0);
  const covered = new Set(found.flatMap((hierarchy) => hierarchy.controllers));
  for (const { directory } of found) await removeAbandoned(directory);
  const runtimeFolder = process.env["XDG_RUNTIME_DIR"];
  if (covered.size === 0 && (await serviceManagerLimits(runtimeFolder))) {
    return {
      missing: [],
      group: (_name, limits) => ({
        prefix: serviceManagerPrefix(limits, runtimeFolder) ?? [],
        close: async () => {},
      }),
    };
  }
  const missing = CONTROLLERS.filter((controller) => !covered.has(controller)).map(
    (controller) =>
      `This host does not let this user limit ${WHAT[controller]}: a sandbox can use as much as the host has.`,
  );
  return {
    missing,
    group(name, limits) {
      const groups: string[] = [];
      for (const { version, controllers, directory } of found) {
        const writes = controllers.flatMap((controller) => settings(version, controller, limits));
        if (writes.length === 0) continue;
        const group = join(directory, `${PREFIX}${process.pid}-${name}`);
        mkdirSync(group, { recursive: true });
        groups.push(group);
        for (const [file, value] of writes) writeFileSync(join(group, file), value);
      }
      return {
        prefix: groups.length === 0 ? [] : ["sh", "-ec", JOIN, "sh", groups.join(" ")],
        async close() {
          await Promise.all(groups.map(removeGroup));
        },
      };
    },
  };
}
