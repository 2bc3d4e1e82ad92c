import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_HANDED_OVER_BYTES } from "../../src/worker/channels/handed-over.ts";
import { processesReply, rpcReply, supervisorStatus } from "../../src/protocol/control.ts";
import { SECRET_TABLES } from "../../src/supervisor/backups/secret-tables.ts";
import { createOperator } from "../../src/supervisor/operator/operator.ts";
import { connectGateway, createDevice, mustConnect } from "../support/gateway-client.ts";
import type { ConnectOptions, DeviceIdentity } from "../support/gateway-client.ts";
import { MODEL_ANSWER, startSandboxProxy } from "../support/supervisor-proxy.ts";
import type { SandboxProxy } from "../support/supervisor-proxy.ts";
import {
  CONTROL_TOKEN,
  GATEWAY_TOKEN,
  OPENCLAW,
  bootDocument,
  gatewayConfigText,
  startRig,
} from "../support/supervisor-rig.ts";
import type { SupervisorRig } from "../support/supervisor-rig.ts";

function columnsOf(path: string): Record<string, string[]> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = database
      .prepare(
        `SELECT t.name AS "table", c.name AS "column" FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' ORDER BY t.name, c.cid`,
      )
      .all();
    const found: Record<string, string[]> = {};
    for (const row of rows) (found[String(row["table"])] ??= []).push(String(row["column"]));
    return found;
  } finally {
    database.close();
  }
}

/** One supervisor and one real gateway; the tests follow each other through its life. */
describe("a supervisor and the pinned gateway", () => {
  let proxy: SandboxProxy;
  let rig: SupervisorRig;
  let config: string;
  const device = createDevice();

  beforeAll(async () => {
    proxy = await startSandboxProxy();
    config = gatewayConfigText({ modelUrl: proxy.modelUrl });
    rig = await startRig({
      env: { HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1,localhost", NODE_USE_ENV_PROXY: "1" },
    });
  });
  afterAll(async () => {
    await rig.close();
    await proxy.close();
  });

  it("waits idle: it says so, its front port is closed and its control port too", async () => {
    expect(await (await rig.control("/v1/hello")).json()).toEqual({ protocol: 1, state: "idle" });
    const front = await fetch(frontUrl("/"));
    expect(front.status).toBe(503);
    expect(await front.json()).toEqual({ error: "not-ready" });
    expect((await rig.control("/v1/status")).status).toBe(401);
  });

  it("refuses a boot document that is malformed, too large or of a newer protocol", async () => {
    expect((await rig.boot({ controlToken: "short" })).status).toBe(400);
    expect((await rig.boot({ protocol: 2 })).status).toBe(422);
    // As much as the Durable Object hands over is not too large.
    const update = "x".repeat(30_000);
    const most = Math.floor(MAX_HANDED_OVER_BYTES / update.length);
    const handedOver = Array.from({ length: most }, () => ({ update, at: 0 }));
    expect((await rig.boot({ protocol: 2, handedOver })).status).toBe(422);
    const large = await rig.control("/v1/boot", { method: "POST", body: "x".repeat(3_000_000) });
    expect(large.status).toBe(413);
    expect((await rig.control("/v1/boot", { method: "POST", body: "{" })).status).toBe(400);
    expect(await (await rig.control("/v1/hello")).json()).toMatchObject({ state: "idle" });
  });

  it("takes the first boot document, and the same one again; any other is a conflict", async () => {
    const document = { gatewayConfig: config, startGeneration: 7 };
    const first = await rig.boot(document);
    expect(first.status).toBe(200);
    expect(supervisorStatus.parse(await first.json()).gateway.state).toBe("starting");
    expect((await rig.boot(document)).status).toBe(200);
    expect((await rig.boot({ ...document, startGeneration: 8 })).status).toBe(409);
    const stranger = { ...document, controlToken: `${CONTROL_TOKEN}x` };
    expect((await rig.boot(stranger)).status).toBe(409);
  });

  it("answers nothing to a wrong token", async () => {
    for (const authorization of ["", "Bearer wrong", `Basic ${CONTROL_TOKEN}`, "Bearer "]) {
      const reply = await rig.control("/v1/status", { headers: { authorization } });
      expect(reply.status).toBe(401);
    }
  });

  it("becomes ready when the gateway says so, and tells everybody", async () => {
    const events = await rig.control("/v1/events");
    const states: string[] = [];
    const following = followStates(events, states);
    const ready = await rig.until(({ gateway }) => gateway.state === "ready");
    await following;
    expect(states.at(0)).toBe("starting");
    expect(states.at(-1)).toBe("ready");
    expect(ready.gateway.version).toBe("2026.9.6");
    expect(ready.gateway.readyMs).toBeGreaterThan(0);
    expect(ready.memory.gateway).toBeGreaterThan(100_000_000);
    expect(ready.startGeneration).toBe(7);
    await rig.until((status) => status.busy === false);
    await reportOf(
      ({ report }) => report.kind === "status" && report.status.gateway.state === "ready",
    );
    expect(
      proxy.reports.every(({ authorization }) => authorization === `Bearer ${CONTROL_TOKEN}`),
    ).toBe(true);
  });

  it("wrote the config with the folders of this place and left it alone", () => {
    const written = readFileSync(configPath(), "utf8");
    expect(written).toBe(config.replaceAll("/run/moltworker", rig.folders.run));
    expect(statSync(join(rig.folders.run, "agent", "gateway-token")).mode & 0o777).toBe(0o600);
  });

  it("closes the front port to a connection without a device, and to one that is no handshake", async () => {
    const backend = await connectGateway({
      ...connectOptions(device),
      device: createDevice(),
      client: { id: "gateway-client", mode: "backend" },
      scopes: ["operator.admin"],
    });
    expect(backend).toMatchObject({ ok: false, error: { code: "NOT_PAIRED" } });
    const { device: _none, ...anonymous } = connectOptions(device);
    expect(await connectGateway(anonymous)).toMatchObject({
      ok: false,
      closed: { code: 1008, reason: "device identity required" },
    });
  });

  it("asks for pairing, whatever address the client claims to have", async () => {
    for (const claimed of ["127.0.0.1", "::1", "10.0.0.7", "not an address", "198.51.100.9"]) {
      const result = await connectGateway({
        ...connectOptions(device),
        headers: {
          "x-moltworker-client": claimed,
          "x-forwarded-for": "127.0.0.1",
          "x-real-ip": "::1",
        },
      });
      expect(result).toMatchObject({
        ok: false,
        error: { code: "NOT_PAIRED", details: { deviceId: device.id } },
        closed: { code: 1008 },
      });
    }
    await reportOf(({ report }) => report.kind === "pairing");
  });

  it("refuses a device that the gateway paired but no admin recorded, and reports it", async () => {
    const pending = await rpc("device.pair.list");
    const requestId = pendingRequest(pending, device.id);
    await rpc("device.pair.approve", { requestId });
    const result = await connectGateway(connectOptions(device));
    expect(result).toMatchObject({
      ok: false,
      closed: { code: 1008, reason: "device not approved" },
    });
    expect(result).not.toHaveProperty("error");
    const { report } = await reportOf((one) => one.report.kind === "unrecorded-device");
    expect(report).toMatchObject({ deviceId: device.id, startGeneration: 7 });
  });

  it("lets a recorded device chat, and ends its sockets when it is taken off the list", async () => {
    await setDevices([device.id]);
    const client = await mustConnect(connectOptions(device));
    expect(await client.chat("what does the sea do?")).toBe(MODEL_ANSWER);
    expect((await rig.status()).connections).toBe(1);
    await setDevices([]);
    await client.closed;
    expect(await connectGateway(connectOptions(device))).toMatchObject({ closed: { code: 1008 } });
  });

  it("offers the gateway's pages, and none of its calls that know no device", async () => {
    const page = await fetch(frontUrl("/healthz"));
    expect(await page.json()).toMatchObject({ ok: true });
    for (const path of ["/tools/invoke", "/v1/chat/completions", "/api/v1/admin/rpc"]) {
      const reply = await fetch(frontUrl(path), {
        method: "POST",
        headers: { authorization: `Bearer ${GATEWAY_TOKEN}` },
      });
      expect(reply.status).toBe(404);
      expect(await reply.json()).toEqual({ error: "closed" });
    }
  });

  it("makes only the calls of the admin's list", async () => {
    expect(await rpc("system.info")).toMatchObject({
      ok: true,
      result: { nodeVersion: process.version },
    });
    const forbidden = await rig.control("/v1/rpc", {
      method: "POST",
      body: JSON.stringify({ method: "config.patch", params: {} }),
    });
    expect(forbidden.status).toBe(400);
    expect(await rpc("device.pair.approve", { requestId: "no-such-request" })).toMatchObject({
      ok: false,
    });
  });

  it("starts a killed gateway again: state put right, device still known, conversation still there", async () => {
    await setDevices([device.id]);
    const before = statSync(configPath()).mtimeMs;
    const { processes } = processesReply.parse(await (await rig.control("/v1/processes")).json());
    expect(processes.map(({ pid }) => pid)).toContain(rig.process.pid);
    process.kill(gatewayPid(), "SIGKILL");
    const down = await rig.until(({ gateway }) => gateway.state !== "ready");
    expect(down.gateway.lastError).toContain("killed by SIGKILL");
    const up = await rig.until(({ gateway }) => gateway.state === "ready");
    expect(up.gateway.restarts).toBe(1);
    expect(await rig.logs("supervisor")).toContain("closed 1 boot records, released 1 leases");
    expect(statSync(configPath()).mtimeMs).toBe(before);
    const client = await mustConnect(connectOptions(device));
    expect(await client.chat("and then?")).toBe(MODEL_ANSWER);
    const history = await client.call("chat.history", { sessionKey: "agent:main:main" });
    expect(JSON.stringify(history)).toContain("what does the sea do?");
    client.close();
  });

  // What `prepareState`, the copies and an import change in databases that are the gateway's own.
  it("has the tables, with the columns, that the supervisor relies on", () => {
    const state = join(rig.folders.home, ".openclaw");
    expect(columnsOf(join(state, "state/openclaw.sqlite"))).toMatchObject({
      gateway_boot_lifecycle: [
        ...["boot_id", "pid", "started_at_ms", "completed_at_ms", "outcome"],
        ...["startup_reason", "reason"],
      ],
      channel_ingress_events: expect.arrayContaining([
        ...["channel_id", "event_id", "status", "completed_at"],
      ]),
      plugin_state_entries: expect.arrayContaining(["plugin_id", "value_json"]),
      state_leases: [
        ...["scope", "lease_key", "owner", "expires_at", "heartbeat_at", "payload_json"],
        ...["created_at", "updated_at"],
      ],
    });
    expect(columnsOf(join(state, "agents/main/agent/openclaw-agent.sqlite"))).toMatchObject({
      transcript_events: expect.arrayContaining(["created_at", "event_json"]),
      session_pending_inputs: expect.arrayContaining(["message_json"]),
    });
    // Some it makes when they are first needed.
    const found = execFileSync(
      "grep",
      [
        "-rhoE",
        `CREATE TABLE IF NOT EXISTS (${SECRET_TABLES.join("|")})\\b`,
        join(OPENCLAW, "dist"),
      ],
      { encoding: "utf8", maxBuffer: 2 ** 24 },
    );
    const made = new Set(found.split("\n").map((line) => line.split(" ").at(-1)));
    expect(SECRET_TABLES.filter((table) => !made.has(table))).toEqual([]);
  });

  it("quiets the gateway before a sleep, and lets it go on when there is none", async () => {
    const ask = async (path: string) => (await rig.control(path, { method: "POST" })).json();
    const client = await mustConnect(connectOptions(device));
    expect(await ask("/v1/suspend")).toEqual({ ok: true });
    await expect(client.chat("are you asleep?")).rejects.toThrow(/suspend|unavailable/i);
    expect(await ask("/v1/resume")).toEqual({ ok: true });
    expect(await client.chat("are you awake?")).toBe(MODEL_ANSWER);
    client.close();
  });

  // A guard against leaks; the bench `supervisor` measures the goal of 80 MB.
  it("keeps its memory small", async () => {
    expect((await rig.status()).memory.supervisor).toBeLessThan(100 * 1024 * 1024);
  });

  it("writes no token into any log", async () => {
    const logs = `${await rig.logs()}\n${rig.output()}`;
    expect(logs).toContain("[gateway] ready");
    expect(logs).not.toContain(CONTROL_TOKEN);
    expect(logs).not.toContain(GATEWAY_TOKEN);
  });

  it("stops the gateway gracefully on request, knows its next job, and ends with exit code 0", async () => {
    const pid = gatewayPid();
    const due = Date.now() + 120_000;
    const job = {
      name: "water the quince",
      schedule: { kind: "at", at: new Date(due).toISOString() },
      sessionTarget: "isolated",
      wakeMode: "now",
      payload: { kind: "agentTurn", message: "water the quince" },
    };
    // A job of the gateway's own may come sooner, at night.
    const before = (await rig.status()).nextDue ?? Number.POSITIVE_INFINITY;
    expect(await asOperator("cron.add", job)).toMatchObject({ ok: true });
    // From here on the gateway answers no question.
    const quiet = await rig.control("/v1/suspend", { method: "POST" });
    expect(await quiet.json()).toEqual({ ok: true });
    const stopped = await rig.control("/v1/stop", { method: "POST", body: '{"deadlineMs":20000}' });
    const status = supervisorStatus.parse(await stopped.json());
    expect(status.gateway.state).toBe("stopped");
    expect(status.nextDue).toBe(Math.min(due, before));
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    expect((await fetch(frontUrl("/"))).status).toBe(503);
    rig.process.kill("SIGTERM");
    expect(await rig.exited).toBe(0);
  });

  function frontUrl(path: string): string {
    return `http://127.0.0.1:${rig.frontPort}${path}`;
  }

  function configPath(): string {
    return join(rig.folders.home, ".openclaw", "openclaw.json");
  }

  function connectOptions(identity: DeviceIdentity): ConnectOptions {
    return {
      url: `ws://127.0.0.1:${rig.frontPort}/ws`,
      token: GATEWAY_TOKEN,
      device: identity,
      headers: { "x-moltworker-client": "198.51.100.7", "x-moltworker-host": "agent.example" },
    };
  }

  async function rpc(method: string, params: object = {}): Promise<unknown> {
    const reply = await rig.control("/v1/rpc", {
      method: "POST",
      body: JSON.stringify({ method, params }),
    });
    return rpcReply.parse(await reply.json());
  }

  /** As the supervisor itself asks, which may do more than a device. */
  async function asOperator(method: string, params: Record<string, unknown>) {
    const over = new AbortController();
    const operator = createOperator({
      ...{ port: rig.gatewayPort, token: GATEWAY_TOKEN },
      onEvent: () => {},
      onLost: () => {},
    });
    const kept = operator.keep(over.signal);
    await operator.connected(over.signal);
    const reply = await operator.call(method, params);
    over.abort();
    await kept;
    return reply;
  }

  async function setDevices(approvedDevices: string[]): Promise<void> {
    const body = JSON.stringify({ approvedDevices });
    expect((await rig.control("/v1/devices", { method: "PUT", body })).status).toBe(200);
  }

  async function reportOf(fits: (one: SandboxProxy["reports"][number]) => boolean) {
    for (let waited = 0; waited < 60_000; waited += 50) {
      const found = proxy.reports.find(fits);
      if (found !== undefined) return found;
      await sleep(50);
    }
    throw new Error(`no such report in ${JSON.stringify(proxy.reports)}`);
  }

  /** The gateway is the supervisor's child that listens. */
  function gatewayPid(): number {
    const children = readFileSync(
      `/proc/${rig.process.pid}/task/${rig.process.pid}/children`,
      "utf8",
    );
    return Number(children.trim().split(" ")[0]);
  }
});

describe("a config that the gateway rejects", () => {
  it("is a failure that names the key, not a loop, and leaves the accepted config in place", async () => {
    const rig = await startRig();
    try {
      await rig.boot({ gatewayConfig: gatewayConfigText({ extra: { noSuchKey: 1 } }) });
      const { gateway } = await rig.until((status) => status.gateway.state === "failed");
      expect(gateway.lastError).toContain("exit code 78");
      expect(gateway.lastError).toContain('Unrecognized key: "noSuchKey"');
      expect(gateway.restarts).toBe(0);
      expect((await rig.boot(bootDocument())).status).toBe(200);
    } finally {
      await rig.close();
    }
  });
});

function pendingRequest(list: unknown, deviceId: string): string {
  const text = JSON.stringify(list);
  const found = new RegExp(`"requestId":"([^"]+)"[^{}]*"deviceId":"${deviceId}"`).exec(text)?.[1];
  if (found === undefined) throw new Error(`no pending request in ${text}`);
  return found;
}

async function followStates(events: Response, states: string[]): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of events.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data === undefined) continue;
      states.push(supervisorStatus.parse(JSON.parse(data)).gateway.state);
      if (states.at(-1) === "ready") return;
    }
  }
}
