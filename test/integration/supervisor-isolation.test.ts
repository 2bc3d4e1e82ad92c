import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { readFindings, writeIntruder } from "../support/supervisor-intruder.ts";
import type { Findings } from "../support/supervisor-intruder.ts";
import { CONTROL_TOKEN, GATEWAY_TOKEN, bootDocument, startRig } from "../support/supervisor-rig.ts";
import type { RigOptions, SupervisorRig } from "../support/supervisor-rig.ts";

const isRoot = process.getuid?.() === 0;
/** Of nobody on a usual machine, so that ending all its processes ends only ours. */
const AGENT_UID = "61842";

let rig: SupervisorRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

/** The local engine's sandbox in small: an unprivileged host user, one mapped user, one capability. */
const inSandbox: RigOptions = {
  openclaw: "/opt/openclaw",
  inside: {
    home: "/home/agent",
    run: "/run/moltworker",
    bundle: "/opt/moltworker/supervisor.mjs",
  },
  launch: ([node = "", ...command], folders) =>
    [
      isRoot ? ["setpriv", "--reuid", "65532", "--regid", "65532", "--clear-groups"] : [],
      ["bwrap", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"],
      ["--tmpfs", "/tmp", "--tmpfs", "/run", "--dir", "/run/moltworker"],
      ["--tmpfs", "/home", "--dir", "/home/agent", "--tmpfs", "/opt"],
      ["--ro-bind", dirname(folders.bundle), "/opt/moltworker"],
      // The checkout, and with it this Node, may lie below one of the folders that are hidden.
      ["--ro-bind", dirname(node), "/opt/node"],
      ["--ro-bind", join(folders.root, "intruder"), "/opt/openclaw", "--remount-ro", "/opt"],
      ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"],
      ["--uid", "0", "--gid", "0", "--cap-drop", "ALL", "--cap-add", "CAP_SETFCAP"],
      ["--die-with-parent", "--new-session", "--", `/opt/node/${basename(node)}`, ...command],
    ].flat(),
};

const asRoot: RigOptions = {
  env: { MOLTWORKER_AGENT_UID: AGENT_UID },
  launch: (command) => command,
};

async function release(options: RigOptions, extra: object = {}): Promise<SupervisorRig> {
  rig = await startRig({
    ...options,
    prepare: async (folders) => ({ openclaw: await writeIntruder(join(folders.root, "intruder")) }),
  });
  const run = options.inside?.run ?? rig.folders.run;
  const config = {
    controlPortOfThisTest: rig.controlPort,
    runDirOfThisTest: run,
    tokenFileOfThisTest: `${run}/agent/gateway-token`,
    bootOfThisTest: { ...bootDocument(), controlToken: "guessed-token-of-the-agent-0123456789" },
    ...extra,
  };
  const reply = await rig.boot({ gatewayConfig: JSON.stringify(config) });
  expect(reply.status).toBe(200);
  return rig;
}

async function findingsOf(running: SupervisorRig): Promise<Findings> {
  for (let waited = 0; waited < 60_000; waited += 200) {
    const found = readFindings(running.output());
    if (found !== undefined) return found;
    await sleep(200);
  }
  throw new Error(`the intruder said nothing:\n${running.output()}`);
}

function expectKeptOut(found: Findings): void {
  expect(found.reached).toEqual([]);
  expect(found.tokenIn).toEqual([]);
  expect(found.control).toEqual({
    "GET /v1/status": 401,
    "GET /v1/logs": 401,
    "POST /v1/rpc": 401,
    "PUT /v1/devices": 401,
    "POST /v1/stop": 401,
    "GET /v1/events": 401,
    "POST /v1/boot": 409,
  });
  expect(found.capabilities).toMatch(/^0+$/);
  expect(found.noNewPrivileges).toBe(true);
  expect(found.canWriteOutside).toEqual([]);
  expect(found.environment.filter((name) => name.startsWith("MOLTWORKER_"))).toEqual([]);
  // Its own pipes and what Node itself opens, nothing handed down by the supervisor.
  const inherited = found.openFiles.filter(
    (file) => !/^(pipe|socket|anon_inode):|^\/dev\//.test(file),
  );
  expect(inherited).toEqual([]);
}

describe.skipIf(!isRoot)("as another user", () => {
  it("the agent can neither read nor trace nor signal the supervisor", async () => {
    const running = await release(asRoot);
    const found = await findingsOf(running);
    expect(found.uid).toBe(Number(AGENT_UID));
    expect(found.others).toContain(running.process.pid);
    expect(found.supervisors).toContain(running.process.pid);
    expectKeptOut(found);
    expect((await running.status()).isolation).toBe("setuid");
  });

  it("a stop ends what left the gateway's session too", async () => {
    const running = await release(asRoot);
    await findingsOf(running);
    expect(pidsOf(AGENT_UID)).not.toEqual([]);
    const stopped = await running.control("/v1/stop", { method: "POST", body: "{}" });
    expect(stopped.status).toBe(200);
    expect(await running.logs("gateway")).toContain("asked to stop");
    // It was killed before the answer; on a busy machine the kernel lets go of it a moment later.
    await expect.poll(() => pidsOf(AGENT_UID)).toEqual([]);
  });

  it("a config that the gateway rejects is a failure that names the key", async () => {
    const running = await release(asRoot, { unacceptable: true });
    const { gateway } = await running.until(({ gateway: { state } }) => state === "failed");
    expect(gateway.lastError).toContain("exit code 78");
    expect(gateway.lastError).toContain("Unrecognized key: unacceptable");
    expect(gateway.restarts).toBe(0);
  });
});

describe("in a nested user namespace", () => {
  it("the agent sees no process of the supervisor's and reaches nothing of it", async () => {
    const running = await release(inSandbox);
    const found = await findingsOf(running);
    expect(found.uid).toBe(1000);
    expect(found.others).toEqual([]);
    expect(found.supervisors).toEqual([]);
    expectKeptOut(found);
    expect((await running.status()).isolation).toBe("userns");
  });

  it("a stop reaches the gateway itself, and its end ends everything it started", async () => {
    const running = await release(inSandbox);
    await findingsOf(running);
    const names = async () => {
      const reply = await running.control("/v1/processes");
      return JSON.stringify(await reply.json());
    };
    expect(await names()).toContain('"name":"sleep"');
    await running.control("/v1/stop", { method: "POST", body: "{}" });
    expect(await running.logs("gateway")).toContain("asked to stop");
    expect((await running.status()).gateway.state).toBe("stopped");
    expect(await names()).not.toContain('"name":"sleep"');
    running.process.kill("SIGTERM");
  });

  it("the gateway's exit code arrives", async () => {
    const running = await release(inSandbox, { unacceptable: true });
    const { gateway } = await running.until(({ gateway: { state } }) => state === "failed");
    expect(gateway.lastError).toContain("exit code 78");
    expect(gateway.lastError).toContain("Unrecognized key: unacceptable");
  });
});

describe("where no isolation works", () => {
  it("the gateway is not started and the status says why", async () => {
    rig = await startRig({
      ...inSandbox,
      prepare: async (folders) => ({
        openclaw: await writeIntruder(join(folders.root, "intruder")),
      }),
      // Without CAP_SETFCAP no nested namespace can be mapped.
      launch: (command, folders) =>
        (inSandbox.launch?.(command, folders) ?? []).filter(
          (word) => !["--cap-add", "CAP_SETFCAP"].includes(word),
        ),
    });
    await rig.boot();
    const { gateway, isolation } = await rig.until((one) => one.gateway.state === "failed");
    expect(isolation).toBe("unavailable");
    expect(gateway.lastError).toContain("cannot be kept apart");
    expect(rig.output()).not.toContain(CONTROL_TOKEN);
    expect(rig.output()).not.toContain(GATEWAY_TOKEN);
  });
});

function pidsOf(uid: string): number[] {
  const { stdout } = spawnSync("ps", ["-o", "pid=", "-u", uid], { encoding: "utf8" });
  return stdout
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 0 && !isZombie(pid));
}

/** What ended below a supervisor that is not PID 1 waits for whoever is. */
function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}
