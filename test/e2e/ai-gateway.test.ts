/** The real agent through Cloudflare AI Gateway, in two wire formats: tools, streams, faults, the ledger. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startDemoModel } from "../../src/local/demo-model/server.ts";
import type { SpendCall } from "../../src/protocol/spend.ts";
import { startAiGateway, type GatewayEmulator } from "../emulators/ai-gateway.ts";
import { createDevice, type GatewayClient } from "../support/gateway-client.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";
import { openWebChat } from "../support/web-chat.ts";

const KEY = "sk-ant-planted-gateway-5c4d3e2f";
const TOKEN = "aig-planted-token-7e6d5c4b3a29";
/**
 * As a search finds them and not itself, and from behind what looks like a key, because the gateway takes
 * that out of a command. The agent's own placeholder shows that the search works.
 */
const PATTERNS = ["moltworker", "gateway-5c4d3e2[f]", "token-7e6d5c4b3a2[9]", "stored-opena[i]"];
const FALLBACK = "claude-sonnet-5";
const slow = { deadlineMs: 120_000 };
const run = (command: string) => `tool: exec ${JSON.stringify({ command })}`;

let stateDir: string;
let model: Awaited<ReturnType<typeof startDemoModel>>;
let gateway: GatewayEmulator;
let system: RunningSystem;
let client: GatewayClient;

beforeAll(async () => {
  stateDir = await makeStateDir();
  model = await startDemoModel({ wordMs: 1 });
  const { origin } = new URL(model.url);
  gateway = await startAiGateway({
    token: TOKEN,
    providers: {
      anthropic: { url: origin },
      openai: { url: model.url, storedKey: ["authorization", "Bearer stored-openai"] },
    },
  });
  system = await startSystem({
    stateDir,
    program: "test/support/gateway-start.ts",
    env: {
      AI_GATEWAY_EMULATOR: gateway.url.replace("/acct/gw", ""),
      CF_AI_GATEWAY_ACCOUNT_ID: "acct",
      CF_AI_GATEWAY_GATEWAY_ID: "gw",
      CF_AI_GATEWAY_TOKEN: TOKEN,
      ANTHROPIC_API_KEY: KEY,
    },
  });
  await system.reach("ready");
  client = await openWebChat(system, createDevice(), 60_000);
});
beforeEach(() => gateway.requests.splice(0));

afterAll(async () => {
  client?.close();
  await system?.stop();
  await gateway?.close();
  await model?.close();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

/** Oldest first. */
async function callsOf(requestIds: readonly unknown[]): Promise<SpendCall[]> {
  const read = async () =>
    ((await system.admin("/api/spend/calls")) as { calls: SpendCall[] }).calls;
  await expect.poll(async () => (await read()).map(({ state }) => state)).not.toContain("open");
  return (await read()).filter(({ requestId }) => requestIds.includes(requestId)).toReversed();
}

const metadata = z.object({ agent: z.literal("main"), request: z.string() });
const requestIds = () =>
  gateway.requests.map(
    ({ headers }) => metadata.parse(JSON.parse(String(headers["cf-aig-metadata"]))).request,
  );

/** Each of these requests came for this agent, with what the gateway wants, and was answered by a stream. */
function expectPassed(path: string, key: Record<string, string>): void {
  expect(gateway.requests.length).toBeGreaterThan(1);
  for (const request of gateway.requests) {
    expect(request).toMatchObject({
      path,
      contentType: "text/event-stream",
      headers: {
        ...key,
        "cf-aig-authorization": `Bearer ${TOKEN}`,
        "cf-aig-skip-cache": "true",
        "cf-aig-max-attempts": "1",
      },
    });
  }
}

test("a turn with a tool goes through it with the key that is set here", async () => {
  const answer = await client.chat(run("echo $((6 * 7))-from-the-sandbox"), slow);
  expect(answer).toContain("42-from-the-sandbox");
  expectPassed("/v1/acct/gw/anthropic/v1/messages", { "x-api-key": KEY });
  const calls = await callsOf(requestIds());
  expect(calls.length).toBe(gateway.requests.length);
  for (const call of calls) {
    expect(call).toMatchObject({
      ...{ provider: "anthropic", model: "claude-opus-5", route: "cloudflare", attempt: 1 },
      ...{ state: "settled", status: 200, priceKnown: true },
    });
    expect(call.usd).toBeGreaterThan(0);
  }
});

test("another format, whose key the gateway keeps, goes the same way", async () => {
  const sessionKey = "agent:main:openai";
  await client.chat("/model openai/gpt-5.5", { ...slow, sessionKey });
  gateway.requests.splice(0);
  const answer = await client.chat(run("echo $((7 * 7))-again"), { ...slow, sessionKey });
  expect(answer).toContain("49-again");
  expectPassed("/v1/acct/gw/openai/responses", {});
  expect(JSON.stringify(gateway.requests)).not.toMatch(/"authorization"|x-api-key/);
  const calls = await callsOf(requestIds());
  for (const call of calls) {
    expect(call).toMatchObject({
      ...{ provider: "openai", model: "gpt-5.5", route: "cloudflare" },
      ...{ state: "settled", priceKnown: true },
    });
    expect(call.usd).toBeGreaterThan(0);
  }
});

test.each([429, 503])("a gateway that answers %i gives way to the fallback", async (status) => {
  const routing = { fallbacks: [`anthropic/${FALLBACK}`] };
  await system.admin("/api/models/routing", { method: "PUT", body: routing });
  gateway.fail(status);
  expect(await client.chat("the word is medlar", slow)).toContain("medlar");
  const calls = await callsOf(requestIds());
  expect(calls.slice(0, 2)).toMatchObject([
    { model: "claude-opus-5", attempt: 1, status, state: "free", route: "cloudflare" },
    { model: FALLBACK, attempt: 2, status: 200, state: "settled", route: "cloudflare" },
  ]);
});

test("no key is in the sandbox, and none is shown", async () => {
  const places = "/home /run /tmp /etc /var /opt/moltworker /dev/shm";
  const search = (pattern: string) =>
    `{ env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; grep -raE '${pattern}' ${places}; } 2>/dev/null | tr '\\0' '\\n' | grep -acE '${pattern}'`;
  const script = PATTERNS.map((pattern) => `echo found=$(${search(pattern)})`).join("; ");
  const answer = await client.chat(run(script), slow);
  const [control, ...keys] = [...answer.matchAll(/found=(\d+)/g)].map((found) => Number(found[1]));
  expect(control).toBeGreaterThan(0);
  expect(keys).toEqual([0, 0, 0]);
  const shown = await Promise.all(
    ["/api/status", "/api/logs", "/api/spend", "/api/spend/calls", "/api/settings"].map((path) =>
      system.admin(path),
    ),
  );
  for (const key of [KEY, TOKEN]) expect(JSON.stringify(shown)).not.toContain(key);
});
