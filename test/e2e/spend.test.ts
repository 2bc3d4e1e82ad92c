/**
 * The real agent: each of its calls is in the ledger, and there are none beyond the cap. A turn whose only
 * model is in trouble: `turn-end.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SpendCall, SpendOverview } from "../../src/protocol/spend.ts";
import { startDemoModel } from "../../src/local/demo-model/server.ts";
import { callsOf, endedCalls } from "../support/ended-calls.ts";
import { createDevice, type GatewayClient } from "../support/gateway-client.ts";
import {
  startTroubledModel,
  type Trouble,
  type TroubledModel,
} from "../support/model-in-trouble.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";
import { openWebChat } from "../support/web-chat.ts";

const KEY = "sk-ant-planted-0f1e2d3c";
const OTHER_KEY = "sk-or-planted-4d5e6f7a";
const slow = { deadlineMs: 60_000 };
let stateDir: string;
let behind: Awaited<ReturnType<typeof startDemoModel>>;
let model: TroubledModel;
/** Another place with the same models. */
let other: TroubledModel;
let system: RunningSystem;
let client: GatewayClient;

beforeAll(async () => {
  stateDir = await makeStateDir();
  // In Anthropic's format, under a name whose price is known.
  behind = await startDemoModel({ wordMs: 1 });
  [model, other] = await Promise.all([
    startTroubledModel(behind.url),
    startTroubledModel(behind.url),
  ]);
  system = await startSystem({
    stateDir,
    env: {
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_BASE_URL: model.url,
      AI_GATEWAY_BASE_URL: `${other.url}/openrouter/v1`,
      AI_GATEWAY_API_KEY: OTHER_KEY,
    },
  });
  await system.reach("ready");
  client = await openWebChat(system, createDevice(), 60_000);
});

afterAll(async () => {
  client?.close();
  await system?.stop();
  await model?.close();
  await other?.close();
  await behind?.close();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

const overview = () => system.admin("/api/spend") as Promise<SpendOverview>;

test("a turn is answered, counted to the token, and refused at the cap until that is raised", async () => {
  await client.chat("hello", slow);
  const made = await endedCalls(system);
  expect(made[0]).toMatchObject({
    provider: "anthropic",
    channel: "webchat",
    state: "settled",
    priceKnown: true,
    status: 200,
  });
  expect(made[0]?.usd).toBeGreaterThan(0);
  const told = JSON.stringify([made, await overview()]);
  for (const key of [KEY, OTHER_KEY]) expect(told).not.toContain(key);

  const settings = { method: "PUT", body: { caps: { dayUsd: 0.0001 } } };
  await system.admin("/api/spend/settings", settings);
  // The gateway shows a provider's own words nowhere else.
  expect(await client.chat("once more", slow).catch(String)).toContain(
    "moltworker did not make this call: it does not fit the daily usage limit of $0.00",
  );
  expect((await callsOf(system)).length).toBe(made.length);
  expect((await overview()).alerts).toContainEqual(expect.objectContaining({ percent: 100 }));

  await system.admin("/api/spend/raise", { body: { usd: 5 } });
  expect(await client.chat("the word is quince", slow)).toContain("quince");
  expect((await callsOf(system)).length).toBeGreaterThan(made.length);
});

describe("a turn whose model", () => {
  const FALLBACK = "claude-sonnet-5";
  beforeAll(async () => {
    await system.admin("/api/spend/settings", { method: "PUT", body: { caps: {} } });
    await system.admin("/api/models/routing", {
      method: "PUT",
      body: { fallbacks: [`anthropic/${FALLBACK}`], patienceSeconds: 4 },
    });
  });

  test.each<[string, Trouble]>([
    ["drops the connection", { kind: "drop" }],
    ["does not answer", { kind: "hang", headers: false }],
    ["answers with headers alone", { kind: "hang", headers: true }],
    ["is rate limited", { kind: "status", status: 429 }],
    [
      "is rate limited for a minute",
      { kind: "status", status: 429, headers: { "retry-after": "60" } },
    ],
    ["is overloaded", { kind: "status", status: 529 }],
  ])("%s is answered by the fallback", async (_name, trouble) => {
    // A good answer in between, so that the first place is not skipped for its failures.
    await client.chat("hello", slow);
    await endedCalls(system);
    const before = model.asked.length;
    model.meets(trouble);
    expect(await client.chat("the word is medlar", slow)).toContain("medlar");
    const [primary, second] = model.asked.slice(before);
    expect(second).toBe(FALLBACK);
    expect(primary).not.toBe(FALLBACK);
    const turn = (await endedCalls(system)).slice(0, model.asked.length - before).toReversed();
    expect(turn[0]).toMatchObject({ model: primary, attempt: 1 });
    expect(turn[1]).toMatchObject({ model: FALLBACK, attempt: 2, state: "settled" });
  });

  test.each<[string, Trouble, Partial<SpendCall>]>([
    ["breaks off", { kind: "cut" }, { reason: "stream-broken", state: "estimated" }],
    ["talks nonsense", { kind: "malformed" }, { status: 200, state: "unsettled" }],
  ])("%s after its beginning ends, is counted, and the next one is well", async (...row) => {
    const [, trouble, counted] = row;
    const before = model.asked.length;
    model.meets(trouble);
    await client.chat("the word is medlar", slow).catch(String);
    const turn = (await endedCalls(system)).slice(0, model.asked.length - before).toReversed();
    expect(turn[0]).toMatchObject(counted);
    expect(await client.chat("the word is sorb", slow)).toContain("sorb");
  });

  test("is not there, so that its connection is refused, is answered by another place", async () => {
    await system.admin("/api/models/routing", {
      method: "PUT",
      body: { fallbacks: [`openrouter/anthropic/${FALLBACK}`] },
    });
    await client.chat("hello", slow);
    const before = (await endedCalls(system)).length;
    await model.away(async () => {
      expect(await client.chat("the word is rowan", slow)).toContain("rowan");
    });
    expect(other.asked).toContain(`anthropic/${FALLBACK}`);
    const turn = (await endedCalls(system)).toReversed().slice(before);
    expect(turn.slice(0, 2)).toMatchObject([
      { provider: "anthropic", attempt: 1, reason: "unreachable", state: "free" },
      { provider: "openrouter", model: `anthropic/${FALLBACK}`, attempt: 2, state: "settled" },
    ]);
  });
});
