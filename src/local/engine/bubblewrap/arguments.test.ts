import { describe, expect, it } from "vitest";
import type { Bind } from "../image.ts";
import { sandboxArguments, sandboxMounts, staging, stagingPlace } from "./arguments.ts";

const home: Bind = { source: "/state/home", target: "/home/agent", mode: "rw" };
const filter: Bind = { source: "/state/f", target: "/opt/moltworker/agent.bpf", mode: "ro" };

describe("the mounts of a sandbox", () => {
  it("adds a private home, unless the image keeps one", () => {
    expect(sandboxMounts([], { home, filter }, () => [])).toEqual([home, filter]);
    const kept: Bind = { source: "/kept", target: "/home/agent", mode: "rw" };
    expect(sandboxMounts([kept], { home, filter }, () => [])).toEqual([kept, filter]);
  });

  it("binds a folder at the filter's place entry by entry", () => {
    const folder: Bind = { source: "/dist", target: "/opt/moltworker", mode: "ro" };
    expect(sandboxMounts([folder], { home, filter }, () => ["a", "b"])).toEqual([
      { source: "/dist/a", target: "/opt/moltworker/a", mode: "ro" },
      { source: "/dist/b", target: "/opt/moltworker/b", mode: "ro" },
      home,
      filter,
    ]);
  });
});

describe("the place where root shows the mounts", () => {
  it("is the first folder that exists and holds none of them", () => {
    expect(stagingPlace(["/home/me/x"], () => true)).toBe("/mnt");
    expect(stagingPlace(["/mnt/data"], () => true)).toBe("/media");
    expect(stagingPlace(["/mntx"], (folder) => folder === "/mnt")).toBe("/mnt");
    expect(() => stagingPlace(["/mnt", "/srv/x"], (folder) => folder !== "/media")).not.toThrow();
    expect(() => stagingPlace(["/mnt"], (folder) => folder === "/mnt")).toThrow(/no folder/);
  });

  it("keeps the mounts in order, and quotes what a mount table needs quoted", () => {
    const odd: Bind = { source: "/my files/a\\b", target: "/x", mode: "ro" };
    const staged = staging([home, odd], "/state/etc", "/mnt", (path) => path !== odd.source);
    expect(staged.mounts.map((mount) => mount.source)).toEqual(["/mnt/0", "/mnt/1"]);
    expect(staged.etc).toBe("/mnt/2");
    expect(staged.prefix.slice(-4)).toEqual([
      "/mnt",
      "0 2",
      "1",
      "/state/home /mnt/0 none rbind 0 0\n" +
        "/my\\040files/a\\134b /mnt/1 none rbind 0 0\n" +
        "/state/etc /mnt/2 none rbind 0 0\n",
    ]);
  });
});

it("mounts what lies deeper later, and seals the root last", () => {
  const words = sandboxArguments({
    mounts: [filter, { source: "/d", target: "/opt", mode: "ro" }],
    systemLinks: [
      { name: "bin", target: "usr/bin" },
      { name: "lib", target: undefined },
    ],
    etc: "/state/etc",
    hostname: "moltworker",
    cwd: "/",
    env: { A: "1" },
    temporaryBytes: 1,
    descriptors: { info: 4, block: 5, seccomp: undefined },
  });
  expect(words.indexOf("/opt")).toBeLessThan(words.indexOf("/opt/moltworker/agent.bpf"));
  expect(words.indexOf("--remount-ro")).toBeGreaterThan(words.lastIndexOf("--ro-bind"));
  expect(words.join(" ")).toContain("--symlink usr/bin /bin --ro-bind /lib /lib");
  expect(words).not.toContain("--seccomp");
});
