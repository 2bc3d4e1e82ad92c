/** Control groups: where this process can make them, and what to write for each limit. */
import { accessSync, constants, existsSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export type Limits = { memoryBytes?: number; pidsMax?: number; cpus?: number };

export type Controller = "memory" | "pids" | "cpu";
export const CONTROLLERS: Controller[] = ["memory", "pids", "cpu"];
const CPU_PERIOD = 100_000;

export type Hierarchy = {
  version: 1 | 2;
  controllers: Controller[];
  /** The group this process is in, where the sandboxes' groups go. */
  directory: string;
  /** Where the hierarchy is mounted. */
  mountPoint: string;
};

function isController(name: string): name is Controller {
  return CONTROLLERS.some((controller) => controller === name);
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The cgroup hierarchies of this process, from /proc/self/mountinfo and /proc/self/cgroup. */
export function hierarchies(mountInfo: string, membership: string): Hierarchy[] {
  const paths = new Map<string, string>();
  for (const row of membership.trim().split("\n")) {
    const [, names = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(row) ?? [];
    for (const name of names.split(",")) paths.set(name, path);
  }
  return mountInfo.split("\n").flatMap((row) => {
    const [before = "", after = ""] = row.split(" - ");
    const [type, , options = ""] = after.split(" ");
    const [, , , root = "/", mountPoint = ""] = before.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") return [];
    const controllers = options.split(",").filter(isController);
    if (type === "cgroup" && controllers.length === 0) return [];
    const path = paths.get(type === "cgroup2" ? "" : (controllers[0] ?? "")) ?? "/";
    // In a container the group's path starts above what is mounted.
    const below = path.startsWith(root) ? path.slice(root.length) : path;
    const version = type === "cgroup2" ? 2 : 1;
    return [
      { version, controllers, directory: join(mountPoint, below), mountPoint } satisfies Hierarchy,
    ];
  });
}

/** The files of a group and what to write to them. */
export function settings(
  version: 1 | 2,
  controller: Controller,
  limits: Limits,
): [string, string][] {
  const { memoryBytes, pidsMax, cpus } = limits;
  switch (controller) {
    case "memory":
      if (memoryBytes === undefined) return [];
      if (version === 2) return [["memory.max", String(memoryBytes)]];
      return [["memory.limit_in_bytes", String(memoryBytes)]];
    case "pids":
      return pidsMax === undefined ? [] : [["pids.max", String(pidsMax)]];
    case "cpu": {
      if (cpus === undefined) return [];
      const quota = String(Math.max(1_000, Math.round(cpus * CPU_PERIOD)));
      if (version === 2) return [["cpu.max", `${quota} ${CPU_PERIOD}`]];
      return [
        ["cpu.cfs_period_us", String(CPU_PERIOD)],
        ["cpu.cfs_quota_us", quota],
      ];
    }
  }
}

/** The controllers that a group of version 2 hands down to groups below it. */
function handedDown(directory: string): Controller[] {
  try {
    const offered = readFileSync(join(directory, "cgroup.controllers"), "utf8").trim().split(" ");
    return offered.filter(isController).filter((controller) => {
      try {
        writeFileSync(join(directory, "cgroup.subtree_control"), `+${controller}`);
        return true;
      } catch {
        // A group with processes of its own hands nothing down, unless it is the topmost.
        return false;
      }
    });
  } catch {
    return [];
  }
}

/** Where in a hierarchy this process can make groups, and with which controllers. */
export function usable(hierarchy: Hierarchy): Hierarchy {
  if (hierarchy.version === 1) {
    return isWritable(hierarchy.directory) ? hierarchy : { ...hierarchy, controllers: [] };
  }
  for (const directory of [hierarchy.directory, hierarchy.mountPoint]) {
    const controllers = isWritable(directory) ? handedDown(directory) : [];
    if (controllers.length > 0) return { ...hierarchy, directory, controllers };
  }
  return { ...hierarchy, controllers: [] };
}

/** Removing a group fails until the kernel has reaped its last process. */
export async function removeGroup(directory: string): Promise<void> {
  for (let attempt = 0; attempt < 50 && existsSync(directory); attempt += 1) {
    try {
      rmdirSync(directory);
    } catch {
      await sleep(20);
    }
  }
}
