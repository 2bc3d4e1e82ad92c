/** A program at the door: the raw protocol through everything, with the agent's own tools at work. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { newCodeReply } from "../../src/protocol/admin-apps.ts";
import { exchangeReply } from "../../src/protocol/apps.ts";
import { startDemoModel } from "../../src/local/demo-model/server.ts";
import { DEMO_MODEL } from "../../src/protocol/names.ts";
import {
  connectGateway,
  createDevice,
  mustConnect,
  type GatewayClient,
} from "../support/gateway-client.ts";
import { descendants } from "../support/process-tree.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";

const PLANTED_TOKEN = "planted-edge-token-1d0c9b8a7f6e5d4c3b2a";
const ROTATED_TOKEN = "rotated-edge-token-5e6f7a8b9c0d1e2f3a4b";
const PLANTED_KEY = "sk-planted-provider-key-9f8e7d6c5b4a3f2e";
/** The same words as patterns that do not match themselves, since the agent's history keeps them. */
const PATTERNS = ["planted-edge-toke[n]-1d0c", "sk-planted-provider-ke[y]-9f8e"];

const session = z.object({ agentId: z.string(), gatewayToken: z.string() });
const device = createDevice();
let stateDir: string;
let system: RunningSystem;
let model: Awaited<ReturnType<typeof startDemoModel>>;
let gatewayToken: string;
let edgeToken = PLANTED_TOKEN;

beforeAll(async () => {
  stateDir = await makeStateDir();
  model = await startDemoModel({ wordMs: 1 });
  system = await startSystem({
    stateDir,
    env: {
      MOLTBOT_GATEWAY_TOKEN: PLANTED_TOKEN,
      OPENAI_API_KEY: PLANTED_KEY,
      OPENAI_BASE_URL: model.url,
      MODEL: `openai/${DEMO_MODEL}`,
      DEBUG_ROUTES: "true",
    },
  });
  gatewayToken = session.parse(await (await edge("/_moltworker/session")).json()).gatewayToken;
});

afterAll(async () => {
  await system?.stop();
  await model?.close();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

describe("a hundred requests on a cold agent", () => {
  test("cause one start and one gateway, and each is answered", async () => {
    await system.reach("ready");
    await system.admin("/api/agent/stop", { body: {} });
    const before = await system.reach("stopped");

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => mixedRequest(n)).map((one) => one.catch(String)),
    );
    expect(answers.filter((answer) => answer !== "answered")).toEqual([]);

    const after = await system.reach("ready");
    expect(after.startGeneration).toBe(before.startGeneration + 1);
    const gateways = descendants(system.process.pid ?? 0).filter(({ command }) =>
      command.startsWith("openclaw-gateway"),
    );
    expect(gateways).toHaveLength(1);
  });
});

describe("a program with a device of its own", () => {
  test("is told to pair, is approved by the admin, and talks", async () => {
    const refused = await connectGateway(connection());
    expect(refused).toMatchObject({ ok: false, error: { details: { code: "PAIRING_REQUIRED" } } });

    const pending = (await system.devices()).pending.map((one) => one.deviceId);
    expect(pending).toContain(device.id);
    await system.admin(`/api/devices/${device.id}/approve`, { body: {} });

    const client = await mustConnect(connection());
    expect(await client.chat("the word is quince")).toContain("quince");
    client.close();
  });

  test("has the agent use a tool and reads its result", async () => {
    await withClient(async (client) => {
      const answer = await client.chat(run("echo $((6 * 7))-from-the-sandbox"), slow);
      expect(answer).toContain("42-from-the-sandbox");
    });
  });

  test("finds no key and no edge token in the sandbox's environment, files and process list", async () => {
    const places = "/home /run /tmp /etc /var /opt/moltworker /dev/shm";
    const search = (pattern: string) =>
      `{ env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; ps axwwe; grep -raE '${pattern}' ${places}; } 2>/dev/null | tr '\\0' '\\n' | grep -acE '${pattern}'`;
    const script = ["moltworker", ...PATTERNS].map((pattern) => `echo found=$(${search(pattern)})`);
    await withClient(async (client) => {
      const answer = await client.chat(run(script.join("; ")), slow);
      const [control, ...secrets] = [...answer.matchAll(/found=(\d+)/g)].map((m) => Number(m[1]));
      expect(control).toBeGreaterThan(0);
      expect(secrets).toEqual([0, 0]);
    });
  });

  test("left no key in the logs, the ledger and the audit log, nor in a backup", async () => {
    await system.admin("/api/backups", { body: {} });
    const shown = await Promise.all(
      [
        "/api/status",
        "/api/logs",
        "/api/logs?source=supervisor",
        "/api/audit",
        "/api/spend",
        "/api/spend/calls",
        "/api/settings",
      ].map(async (call) => JSON.stringify(await system.admin(call))),
    );
    const { generations } = z
      .object({ generations: z.array(z.looseObject({ generation: z.number() })) })
      .parse(await system.admin("/api/backups"));
    const newest = generations[0]?.generation ?? 0;
    const archive = await fetch(`${system.adminUrl}/api/backups/${newest}/archive`, {
      headers: { Cookie: system.adminCookie },
    });
    expect(archive.status).toBe(200);
    const unpacked = gunzipSync(Buffer.from(await archive.arrayBuffer()));
    expect(unpacked.includes(".openclaw")).toBe(true);
    const stored = await filesBelow(stateDir);
    expect(stored.some(({ name }) => name.endsWith(".sqlite"))).toBe(true);
    for (const secret of [PLANTED_KEY, PLANTED_TOKEN]) {
      for (const text of [...shown, JSON.stringify(system.events)]) {
        expect(text.replaceAll(system.controlUi, "")).not.toContain(secret);
      }
      expect(unpacked.includes(secret)).toBe(false);
      const holding = stored.filter(({ bytes }) => bytes.includes(secret));
      expect(holding.map(({ name }) => name)).toEqual([]);
    }
  });

  test("is told how to allow a host that the sandbox may not reach", async () => {
    await withClient(async (client) => {
      const answer = await client.chat(run("curl -s http://example.test/ || true"), slow);
      expect(answer).toContain("EGRESS_ALLOW");
    });
    // Refusals are summed up before they are stored.
    await expect
      .poll(async () => JSON.stringify(await system.admin("/api/egress/refused")), {
        timeout: 30_000,
      })
      .toContain("example.test");
  });

  test("is let in again after a restart of everything with another edge token, the history still there, old sessions not", async () => {
    const cookie = await sessionCookie();
    expect((await shellWith(cookie)).status).toBe(200);
    expect(await system.stop()).toBe(0);
    edgeToken = ROTATED_TOKEN;
    system = await startSystem({
      stateDir,
      env: {
        MOLTBOT_GATEWAY_TOKEN: ROTATED_TOKEN,
        OPENAI_API_KEY: PLANTED_KEY,
        OPENAI_BASE_URL: model.url,
        MODEL: `openai/${DEMO_MODEL}`,
        DEBUG_ROUTES: "true",
      },
    });
    expect((await shellWith(cookie)).status).toBe(401);
    expect((await edge("/", { Authorization: `Bearer ${PLANTED_TOKEN}` })).status).toBe(401);
    await withClient(async (client) => {
      expect(await client.chat("history", slow)).toContain("the word is quince");
    });
  });

  test("is out at once when the admin removes the device", async () => {
    const client = await mustConnect(connection());
    await system.admin(`/api/devices/${device.id}`, { method: "DELETE" });
    expect((await client.closed).code).toBeGreaterThan(0);
    expect(await connectGateway(connection())).toMatchObject({ ok: false });
  });
});

/** Everything on the disk of the one who runs the system. */
async function filesBelow(folder: string): Promise<{ name: string; bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      // A running system removes files, too.
      const bytes = await readFile(path.join(parentPath, name)).catch(() => Buffer.alloc(0));
      return { name, bytes };
    }),
  );
}

test("an admin reads what runs where, and what is running", async () => {
  await system.reach("ready");
  expect(await system.admin("/debug/version")).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    gateway: expect.stringMatching(/^20\d\d\./),
    engine: expect.stringMatching(/^(bubblewrap|container|plain)$/),
    image: expect.stringMatching(/./),
    compatibilityDate: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
  });
  expect(JSON.stringify(await system.admin("/debug/processes"))).toContain(`"pid":1`);
});

describe("an app with a pairing code", () => {
  test("is let in without the token and without a click, and is out when it is removed", async () => {
    const { code } = newCodeReply.parse(
      await system.admin("/api/apps/codes", { body: { name: "Tablet" } }),
    );
    const own = createDevice();
    const exchanged = await fetch(new URL("/_moltworker/pair", system.url), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code, deviceId: own.id }),
    });
    const { credential, app, socket } = exchangeReply.parse(await exchanged.json());
    const headers = { Authorization: `Bearer ${credential}` };
    const known = await fetch(new URL("/_moltworker/session", system.url), { headers });
    const { gatewayToken: token } = session.parse(await known.json());
    const connect = () =>
      connectGateway({ url: socket, token, device: own, headers, deadlineMs: 120_000 });

    // The first try asks for pairing, which is granted meanwhile.
    await connect();
    const approved = async () =>
      (await system.devices()).paired.some(({ deviceId }) => deviceId === own.id);
    await expect.poll(approved, { timeout: 60_000 }).toBe(true);
    const entered = await connect();
    if (!entered.ok) throw new Error(JSON.stringify(entered));
    expect(await entered.client.chat("the word is medlar", slow)).toContain("medlar");

    await system.admin(`/api/apps/${app}`, { method: "DELETE" });
    expect((await entered.client.closed).code).toBeGreaterThan(0);
    expect(await connect()).toMatchObject({ ok: false, status: 401 });
    expect((await system.devices()).paired.map(({ deviceId }) => deviceId)).not.toContain(own.id);
  });
});

const slow = { deadlineMs: 120_000 };

function connection() {
  return {
    url: `${system.url.replace("http", "ws")}/ws`,
    token: gatewayToken,
    device,
    headers: { Authorization: `Bearer ${edgeToken}` },
    deadlineMs: 120_000,
  };
}

async function withClient(work: (client: GatewayClient) => Promise<void>): Promise<void> {
  const client = await mustConnect(connection());
  try {
    await work(client);
  } finally {
    client.close();
  }
}

/** Asks the demo model to have this command run by the agent's shell tool. */
function run(command: string): string {
  return `tool: exec ${JSON.stringify({ command })}`;
}

/** `name=value` of a session, as a browser gets it from the link. */
async function sessionCookie(): Promise<string> {
  const reply = await fetch(system.controlUi, {
    redirect: "manual",
    headers: { Accept: "text/html" },
  });
  return (reply.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

function shellWith(cookie: string): Promise<Response> {
  return fetch(new URL("/", system.url), { headers: { Cookie: cookie }, redirect: "manual" });
}

function edge(pathname: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(new URL(pathname, system.url), {
    headers: { Authorization: `Bearer ${edgeToken}`, ...headers },
    redirect: "manual",
    signal: AbortSignal.timeout(150_000),
  });
}

/** One of five kinds of request; each has an answer of its own even while the agent is cold. */
async function mixedRequest(n: number): Promise<string> {
  await sleep(n % 7);
  switch (n % 5) {
    case 0:
      return check((await edge("/healthz")).status === 200, "healthz");
    case 1:
      return check((await edge("/")).status === 200, "shell");
    case 2: {
      const waiting = await edge("/canvas-page", {
        Accept: "text/html",
        "Sec-Fetch-Mode": "navigate",
      });
      return check([200, 404, 503].includes(waiting.status), `navigation ${waiting.status}`);
    }
    case 3: {
      const reply = await edge("/readyz");
      return check(reply.status === 200, `readyz ${reply.status}`);
    }
    default: {
      const reply = await connectGateway(connection());
      const asked = !reply.ok && "error" in reply && reply.error?.code === "NOT_PAIRED";
      return check(asked, `socket ${JSON.stringify(reply)}`);
    }
  }
}

function check(fine: boolean, what: string): string {
  return fine ? "answered" : what;
}
