/** Every part is killed without warning, one after the other; the system gets up by itself. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { createDevice, mustConnect } from "../support/gateway-client.ts";
import { descendants, isAlive, killDescendants } from "../support/process-tree.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
  type SystemStatus,
} from "../support/running-system.ts";

const session = z.object({ gatewayToken: z.string() });
const device = createDevice();
let stateDir: string;
let system: RunningSystem;
let gatewayToken: string;

beforeAll(async () => {
  stateDir = await makeStateDir();
  system = await startSystem({ stateDir });
  const reply = await fetch(new URL("/_moltworker/session", system.url), {
    headers: { Authorization: `Bearer ${system.token}` },
  });
  gatewayToken = session.parse(await reply.json()).gatewayToken;
  await system.reach("ready");
  await mustConnect(connection()).catch(() => {});
  await system.admin(`/api/devices/${device.id}/approve`, { body: {} });
  await talk("the word is medlar");
});

afterAll(async () => {
  await system?.stop();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

describe("after SIGKILL of", () => {
  test("the gateway, the supervisor starts it again and the status says why", async () => {
    const before = await system.status();
    expect(kill("gateway")).toBe(1);
    await remembered();
    const after = await system.reach("ready");
    expect(after.startGeneration).toBe(before.startGeneration);
    expect(JSON.stringify(after)).toContain("SIGKILL");
  });

  test("the supervisor, the Durable Object starts the sandbox anew and says what happened", async () => {
    const before = await system.status();
    expect(kill("supervisor")).toBeGreaterThan(0);
    await remembered();
    const after = await system.reach("ready");
    expect(after.startGeneration).toBeGreaterThan(before.startGeneration);
    expect(toldSince(before, after)).toContain("The sandbox ended");
  });

  test("the whole sandbox, it is started anew although nobody asks, and says what happened", async () => {
    const before = await system.status();
    expect(kill("sandbox")).toBeGreaterThan(0);
    // The status starts nothing.
    await expect
      .poll(async () => (await system.status()).startGeneration, { timeout: 120_000 })
      .toBeGreaterThan(before.startGeneration);
    const after = await system.reach("ready");
    expect(toldSince(before, after)).toContain("The sandbox ended");
    await remembered();
  });

  test("workerd during a start, the start is finished all the same", async () => {
    await system.admin("/api/agent/stop", { body: {} });
    await system.reach("stopped");
    void system.admin("/api/agent/start", { body: {} }).catch(() => {});
    await expect
      .poll(async () => (await system.status()).phase)
      .toMatch(/^(starting|restoring|booting)$/);
    expect(kill("workerd")).toBeGreaterThan(0);
    await remembered();
    expect(system.events.some((one) => JSON.stringify(one).includes("workerd died"))).toBe(true);
  });

  test("the process that holds everything, nothing is left running and a new start finds the state", async () => {
    const pid = system.process.pid ?? 0;
    const tree = descendants(pid);
    expect(tree.length).toBeGreaterThan(3);
    const server = tree.find((one) => one.command.includes("server.ts"));
    process.kill(server?.pid ?? 0, "SIGKILL");
    await expect
      .poll(() => tree.filter((one) => isAlive(one.pid)), { timeout: 30_000 })
      .toEqual([]);

    const port = new URL(system.url).port;
    system = await startSystem({ stateDir, args: ["--port", port] });
    await remembered();
  });
});

type Part = "gateway" | "supervisor" | "sandbox" | "workerd";

const PARTS: Record<Part, (command: string) => boolean> = {
  gateway: (command) => command.startsWith("openclaw-gateway"),
  supervisor: (command) => command.includes("/opt/moltworker/supervisor.mjs"),
  sandbox: (command) => /(^|\/)bwrap\b/.test(command),
  workerd: (command) => /workerd/.test(command) && command.includes("serve"),
};

function kill(part: Part): number {
  return killDescendants(system.process.pid ?? 0, (one) => PARTS[part](one.command));
}

const happened = z.array(z.object({ n: z.number(), text: z.string() }));

/** What the status says has happened since an earlier status. */
function toldSince(before: SystemStatus, after: SystemStatus): string {
  const [newest] = happened.parse(before["events"]);
  return happened
    .parse(after["events"])
    .filter(({ n }) => n > (newest?.n ?? 0))
    .map(({ text }) => text)
    .join("\n");
}

function connection() {
  return {
    url: `${system.url.replace("http", "ws")}/ws`,
    token: gatewayToken,
    device,
    headers: { Authorization: `Bearer ${system.token}` },
    deadlineMs: 150_000,
  };
}

async function talk(message: string): Promise<string> {
  const client = await mustConnect(connection());
  try {
    return await client.chat(message, { deadlineMs: 120_000 });
  } finally {
    client.close();
  }
}

/** The device is still let in and the agent still knows what it was told; retries as a person does. */
async function remembered(): Promise<void> {
  const began = Date.now();
  const answers: string[] = [];
  while (Date.now() < began + 300_000) {
    const answer = await talk("history").catch(String);
    if (answer.includes("the word is medlar")) return;
    answers.push(`${Math.round((Date.now() - began) / 1000)} s: ${answer}`);
    // Nothing is said to what joined a turn under way, such as one that the kill interrupted and that
    // is done again: asking on and on would keep it from its end.
    await sleep(answer === "" ? 15_000 : 1000);
  }
  const told = system.events.slice(-60).map((one) => JSON.stringify(one));
  throw new Error(`not remembered:\n${[...answers, ...told].join("\n")}`);
}
