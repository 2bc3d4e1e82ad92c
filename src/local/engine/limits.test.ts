import { expect, it } from "vitest";
import { hierarchies, settings } from "./cgroups.ts";
import { serviceManagerPrefix } from "./limits.ts";

const V1 = `33 32 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 32 0:31 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
36 32 0:32 / /proc rw - proc proc rw`;

it("finds each controller of version 1 in this process's own group", () => {
  expect(hierarchies(V1, "4:memory:/user/me\n2:cpu,cpuacct:/\n0::/\n")).toEqual([
    {
      version: 1,
      controllers: ["memory"],
      directory: "/sys/fs/cgroup/memory/user/me",
      mountPoint: "/sys/fs/cgroup/memory",
    },
    {
      version: 1,
      controllers: ["cpu"],
      directory: "/sys/fs/cgroup/cpu,cpuacct",
      mountPoint: "/sys/fs/cgroup/cpu,cpuacct",
    },
  ]);
});

it("finds the one hierarchy of version 2", () => {
  const mount = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
  expect(hierarchies(mount, "0::/user.slice/me.scope\n")).toEqual([
    {
      version: 2,
      controllers: [],
      directory: "/sys/fs/cgroup/user.slice/me.scope",
      mountPoint: "/sys/fs/cgroup",
    },
  ]);
});

it("follows a mount that starts below the root, as in a container", () => {
  const mount = "30 24 0:26 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids";
  expect(hierarchies(mount, "8:pids:/docker/abc\n")).toEqual([
    {
      version: 1,
      controllers: ["pids"],
      directory: "/sys/fs/cgroup/pids",
      mountPoint: "/sys/fs/cgroup/pids",
    },
  ]);
});

it("writes each limit as its version wants it", () => {
  const limits = { memoryBytes: 1024, pidsMax: 5, cpus: 0.5 };
  expect(settings(1, "memory", limits)).toEqual([["memory.limit_in_bytes", "1024"]]);
  expect(settings(2, "memory", limits)).toEqual([["memory.max", "1024"]]);
  expect(settings(2, "cpu", limits)).toEqual([["cpu.max", "50000 100000"]]);
  expect(settings(1, "pids", limits)).toEqual([["pids.max", "5"]]);
  expect(settings(1, "memory", {})).toEqual([]);
});

it("asks the service manager for a scope, and shows its folder to nothing but that", () => {
  expect(serviceManagerPrefix({ memoryBytes: 1024, cpus: 0.5 }, "/run/user/1")?.join(" ")).toBe(
    "env XDG_RUNTIME_DIR=/run/user/1 systemd-run --user --scope --quiet --collect " +
      "-p MemoryMax=1024 -p CPUQuota=50% -- env -u XDG_RUNTIME_DIR",
  );
  expect(serviceManagerPrefix({ memoryBytes: 1024 }, undefined)).toBeUndefined();
});
