/** What a sandbox keeps from the host and from itself, in every engine that isolates. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { type Server, connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startEngine } from "../../src/local/engine/engine.ts";
import { type Box, type Rig, enginesPresent, startRig } from "../support/engine-rig.ts";

const engines = (await enginesPresent()).filter(({ kind }) => kind === "bubblewrap");

function readProcess(pid: string, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, "latin1");
}

async function eventually(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The agent's nested sandbox, as a supervisor makes it. */
const NESTED = [
  "bwrap --bind / / --dev-bind /dev /dev --proc /proc --tmpfs /run",
  "--unshare-user --unshare-pid --uid 1000 --gid 1000 --cap-drop ALL --die-with-parent",
  "--seccomp 9 --",
].join(" ");
const FILTER = "9</opt/moltworker/agent.bpf";

describe.for(engines)("$name", (engine) => {
  let rig: Rig;
  let box: Box;
  let service: Server;
  beforeAll(async () => {
    service = createServer((socket) => socket.end("host service")).listen(0, "127.0.0.1");
    await once(service, "listening");
    rig = await startRig(engine);
    box = rig.box("main");
    await box.start({
      env: { PLANTED: "planted-secret" },
      intercepts: [{ kind: "http", host: "named.internal", via: "named" }],
    });
  });
  afterAll(async () => {
    await rig.close();
    service.close();
  });

  describe("network", () => {
    it.for([
      ["another port of an address outside", "1.2.3.4", 8080],
      ["SSH outside", "1.2.3.4", 22],
      ["DNS over TCP outside", "8.8.8.8", 53],
      ["the machine's metadata service on another port", "169.254.169.254", 8000],
    ] as const)("has no route to %s", async ([, host, port]) => {
      expect(await box.ask("tcp", { host, port })).toBe("ENETUNREACH");
    });

    it("has no route for UDP", async () => {
      expect(await box.ask("udp", { host: "8.8.8.8", port: 53 })).toBe("ENETUNREACH");
      expect(await box.ask("udp", { host: "1.1.1.1", port: 443 })).toBe("ENETUNREACH");
    });

    it("does not reach a service on the host's loopback", async () => {
      const address = service.address();
      if (address === null || typeof address === "string") throw new Error("no port");
      expect(await box.ask("tcp", { host: "127.0.0.1", port: address.port })).toBe("ECONNREFUSED");
    });

    it("refuses ports 80 and 443 of the sandbox itself", async () => {
      for (const url of ["http://127.0.0.1/", "http://10.0.0.1/", "http://localhost/"]) {
        expect(await box.ask("fetch", { url })).toHaveProperty("failed");
      }
    });

    it("resolves only names with a rule, where no rule covers all", async () => {
      expect(await box.ask("fetch", { url: "http://named.internal/" })).toMatchObject({
        status: 200,
      });
      expect(await box.ask("fetch", { url: "http://other.example/" })).toMatchObject({
        failed: expect.stringContaining("ENOTFOUND"),
      });
    });

    it("closes what no rule covers, instead of passing it on", async () => {
      expect(await box.ask("fetch", { url: "http://1.2.3.4/" })).toHaveProperty("failed");
      expect(await box.ask("fetch", { url: "https://named.internal/" })).toHaveProperty("failed");
    });

    it("captures a WebSocket of a program that knows no proxy", async () => {
      expect(await box.ask("websocket", { url: "ws://named.internal/" })).toBe("named:ping");
    });
  });

  describe("files", () => {
    it.for(["/root", "/work", "/etc/shadow", "/etc/ssh", "/sys", "/mnt", "/srv", "/boot"])(
      "does not show %s",
      async (path) => {
        expect(await box.shell(`ls ${path}`)).toContain("No such file");
      },
    );

    it("shows an empty home of the agent only", async () => {
      expect(await box.shell("ls -A /home /home/agent")).toBe("/home:\nagent\n\n/home/agent:\n");
    });

    it.for(["/", "/usr", "/etc", "/opt", "/opt/moltworker", "/etc/cloudflare/certs"])(
      "does not let %s be written",
      async (path) => {
        expect(await box.shell(`touch ${path}/x`)).toContain("Read-only file system");
      },
    );

    it.for(["/home/agent", "/tmp", "/run", "/var/tmp"])("lets %s be written", async (path) => {
      expect(await box.shell(`echo kept > ${path}/x && cat ${path}/x && rm ${path}/x`)).toBe(
        "kept\n",
      );
    });

    it("inherits no descriptor of the engine", async () => {
      expect(
        await box.shell(
          "cd /proc/$PPID/fd; readlink * | grep -v -E 'socket|eventpoll|eventfd|/dev/null|pipe|anon_inode'",
        ),
      ).toBe("");
      expect(await box.shell("ls /proc/self/fd | sort -n | tail -1")).toBe("3\n");
    });
  });

  describe("processes", () => {
    it("shows only its own, and nothing of how it was made", async () => {
      const list = await box.shell("ps -eo args --no-headers");
      expect(list).not.toContain("--bind");
      expect(list).not.toContain("planted-secret");
      expect(list).not.toContain(rig.folder);
      const environment = await box.shell("cat /proc/1/environ /proc/1/cmdline | tr '\\0' '\\n'");
      expect(environment).not.toContain("planted-secret");
      expect(environment).not.toContain("host-secret");
      expect(environment).not.toContain(process.cwd());
    });

    it("has no capability but the one that maps the agent's user", async () => {
      const status = await box.shell("grep -h -E 'Cap(Prm|Eff|Bnd)' /proc/self/status");
      expect(new Set(status.match(/[0-9a-f]{16}/g))).toEqual(new Set(["0000000080000000"]));
      expect(await box.shell("grep CapEff /proc/1/status")).toMatch(/0{16}/);
    });

    it("gains nothing by exec either, and runs it under the filter", async () => {
      const { stdout } = z.object({ stdout: z.string() }).parse(
        await box.operate("exec", {
          cmd: ["sh", "-c", "grep -E 'Cap(Prm|Eff)|Seccomp:|NoNewPrivs' /proc/self/status"],
        }),
      );
      expect(stdout.match(/[0-9a-f]{16}/g)).toEqual(["0000000000000000", "0000000000000000"]);
      expect(stdout).toMatch(/NoNewPrivs:\s1/);
      expect(stdout).toMatch(/Seccomp:\s2/);
    });

    it("is an unprivileged user of the host", async () => {
      const pid =
        sandboxesOf(rig).find((candidate) =>
          readProcess(candidate, "cmdline").startsWith("/opt/node/bin/node"),
        ) ?? "";
      const uid = Number(/^Uid:\s+(\d+)/m.exec(readProcess(pid, "status"))?.[1]);
      expect(uid).not.toBe(0);
    });

    it.for([
      ["bpf", 321],
      ["perf_event_open", 298],
      ["userfaultfd", 323],
      ["io_uring_setup", 425],
      ["keyctl", 250],
      ["kexec_load", 246],
      ["open_by_handle_at", 304],
    ] as const)("answers the system call %s with EPERM", async ([, call]) => {
      if (process.arch !== "x64") return;
      const script = `import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint(libc.syscall(${call}, 0, 0, 0, 0), ctypes.get_errno())`;
      const { stdout } = await box.run(["/usr/bin/python3", "-c", script]);
      expect(stdout).toBe("-1 1\n");
    });

    it("stops a fork bomb at the limit", async ({ skip }) => {
      if (rig.limits.some((limit) => limit.includes("number of processes"))) skip();
      const bomb = [
        "import os, signal, time",
        "children = []",
        "try:",
        "  for _ in range(1000):",
        "    child = os.fork()",
        "    if child == 0: time.sleep(60)",
        "    children.append(child)",
        "except OSError as error: print(error.strerror)",
        "for child in children: os.kill(child, signal.SIGKILL)",
        "for child in children: os.waitpid(child, 0)",
      ].join("\n");
      const { stdout } = await box.run(["/usr/bin/python3", "-c", bomb]);
      expect(stdout).toBe("Resource temporarily unavailable\n");
      expect(await box.ask("hello")).toMatchObject({ hello: true });
    });

    it("stops a memory hog at the limit", async ({ skip }) => {
      if (rig.limits.some((limit) => limit.includes("memory"))) skip();
      const hog = "print(len(bytearray(700 * 1024 ** 2)))";
      const { code, stdout } = await box.run(["/usr/bin/python3", "-c", hog]);
      expect({ failed: code !== 0, stdout }).toEqual({ failed: true, stdout: "" });
      expect(await box.ask("hello")).toMatchObject({ hello: true });
    });
  });

  describe("the agent's nested sandbox", () => {
    const nested = (script: string): Promise<string> =>
      box.shell(`${NESTED} bash -c ${JSON.stringify(script)} ${FILTER}`);

    it("runs as another user who sees only its own processes", async () => {
      expect(await nested("id -u; ps -eo pid= | wc -l")).toMatch(/^1000\n[1-5]\n$/);
    });

    it("can neither read nor signal a process outside it", async () => {
      const seen = await box.shell(
        `TOKEN=outer-secret sleep 60 & outer=$!; ${NESTED} bash -c "cat /proc/*/environ 2>/dev/null | tr '\\\\0' '\\\\n' | grep -c outer-secret; kill -9 $outer" ${FILTER}; kill -0 $outer && echo alive; kill $outer`,
      );
      expect(seen).toContain("0\n");
      expect(seen).toContain("No such process");
      expect(seen).toContain("alive\n");
    });

    it("has no capability and cannot make namespaces or mounts", async () => {
      expect(await nested("grep -h Cap /proc/self/status | grep -v -c 0000000000000000")).toBe(
        "0\n",
      );
      expect(await nested("unshare -Ur id; unshare -m id")).toMatch(
        /Operation not permitted[^]*Operation not permitted/,
      );
      expect(await nested("mount -t tmpfs none /tmp || true")).toMatch(
        /permission denied|not permitted|must be superuser/i,
      );
    });

    it("still starts threads and programs", async () => {
      const script =
        "import threading, subprocess; t = threading.Thread(target=lambda: print(subprocess.run(['true']).returncode)); t.start(); t.join()";
      expect(await box.shell(`${NESTED} /usr/bin/python3 -c "${script}" ${FILTER}`)).toBe("0\n");
    });
  });

  it.skipIf(process.getuid?.() !== 0)(
    "lets no other user in through the sidecar's port",
    async () => {
      const ports = processesListening(rig.pid);
      expect(ports.length).toBeGreaterThan(0);
      for (const port of ports) {
        const script = `
        import("node:net").then(({ connect }) => {
          const socket = connect(${port}, "127.0.0.1");
          let text = "";
          socket.on("data", (data) => (text += data)).on("close", () => console.log(text)).on("error", () => {});
          socket.write("CONNECT 127.0.0.1:8080 HTTP/1.1\\r\\nX-Dst-Addr: 127.0.0.1:8080\\r\\n\\r\\n");
          setTimeout(() => socket.end(), 500);
        });`;
        const other = ["--reuid", "65000", "--regid", "65000", "--clear-groups"];
        const child = spawn("setpriv", [...other, process.execPath, "-e", script], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        let text = "";
        child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
        await once(child, "close");
        expect(text).not.toContain("200 OK");
      }
      expect(
        rig.logs.some(({ stream, line }) => stream === "engine" && line.includes("refused")),
      ).toBe(true);
    },
  );
});

/** TCP ports on 127.0.0.1 that a process listens on. */
function processesListening(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return readProcess("self", "net/tcp")
    .split("\n")
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[3] === "0A" && inodes.has(columns[9] ?? ""))
    .map((columns) => Number.parseInt(columns[1]?.split(":")[1] ?? "", 16));
}

/** What descends from a process, by what /proc says of parents. */
function descendants(root: number): string[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [{ pid, parent: /^PPid:\s+(\d+)/m.exec(readProcess(pid, "status"))?.[1] }];
      } catch {
        return [];
      }
    });
  const found = [String(root)];
  for (const pid of found) {
    found.push(...parents.filter(({ parent }) => parent === pid).map((child) => child.pid));
  }
  return found.slice(1);
}

function sandboxesOf(rig: Rig): string[] {
  return descendants(rig.pid).filter((pid) =>
    /bwrap|program\.mjs|network-helper/.test(readProcess(pid, "cmdline")),
  );
}

/** Also when nobody has collected its exit code yet. */
function hasEnded(pid: string): boolean {
  try {
    return /^State:\s+Z/m.test(readProcess(pid, "status"));
  } catch {
    return true;
  }
}

function groupsOf(rig: Rig): string[] {
  return ["pids", "memory", "cpu"].flatMap((controller) => {
    const root = `/sys/fs/cgroup/${controller}`;
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.includes(`moltworker-${rig.pid}-`),
    );
  });
}

describe.for(engines)("the end of an engine: $name", (engine) => {
  it("leaves nothing when it is closed", async () => {
    const rig = await startRig(engine);
    await rig.box("a").start();
    const processes = sandboxesOf(rig);
    expect(processes.length).toBeGreaterThan(3);
    expect(await rig.close()).toEqual(["agent.bpf"]);
    expect(processes.filter((pid) => !hasEnded(pid))).toEqual([]);
    expect(groupsOf(rig)).toEqual([]);
  });

  it("takes every sandbox with it when it is killed", async () => {
    const rig = await startRig(engine);
    await rig.box("a").start();
    await rig.box("b").start();
    const processes = sandboxesOf(rig);
    await rig.kill();
    expect(processes.length).toBeGreaterThan(6);
    await eventually("all sandboxes ended", () => processes.every(hasEnded));
    await rm(rig.folder, { recursive: true, force: true });
  });

  it("does not answer on its socket any more once it is closed", async () => {
    const rig = await startRig(engine);
    await rig.close();
    const socket = connect(rig.socketPath);
    const failed: unknown[] = await once(socket, "error");
    expect(failed[0]).toMatchObject({ code: "ENOENT" });
  });
});

describe("an engine that starts where another was killed", () => {
  it("removes what that one left", async () => {
    const stateDir = await mkdtemp(join(tmpdir(), "engine-stale-"));
    const left = join(stateDir, "engine/sandboxes/0123456789ab/home/closed");
    await mkdir(left, { recursive: true });
    await writeFile(join(left, "file"), "");
    await chmod(left, 0o000);
    await writeFile(join(stateDir, "engine/docker.sock"), "");
    const engine = await startEngine({ kind: "plain", stateDir, images: {}, log: () => {} });
    expect(readdirSync(join(stateDir, "engine/sandboxes"))).toEqual([]);
    expect(existsSync(engine.socketPath)).toBe(true);
    await engine.close();
    await rm(stateDir, { recursive: true, force: true });
  });

  it("finds a short enough place for its socket when the state folder's path is long", async () => {
    const folder = await mkdtemp(join(tmpdir(), "engine-long-"));
    const stateDir = join(folder, "x".repeat(120));
    const engine = await startEngine({ kind: "plain", stateDir, images: {}, log: () => {} });
    expect(Buffer.byteLength(engine.socketPath)).toBeLessThanOrEqual(104);
    await engine.close();
    expect(existsSync(dirname(engine.socketPath))).toBe(false);
    await rm(folder, { recursive: true, force: true });
  });
});
