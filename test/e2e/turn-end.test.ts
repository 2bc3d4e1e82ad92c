/**
 * The real agent, whose only model stays in trouble: its turn ends at once, in true words, and the agent
 * does not repeat what the Worker has tried to the end. With another model left: `spend.test.ts`.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDemoModel } from "../../src/local/demo-model/server.ts";
import { endedCalls } from "../support/ended-calls.ts";
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

const deadlineMs = 120_000;
let stateDir: string;
let behind: Awaited<ReturnType<typeof startDemoModel>>;
let model: TroubledModel;
let system: RunningSystem;
let client: GatewayClient;

beforeAll(async () => {
  stateDir = await makeStateDir();
  behind = await startDemoModel({ wordMs: 1 });
  model = await startTroubledModel(behind.url);
  system = await startSystem({
    stateDir,
    env: {
      ANTHROPIC_API_KEY: "sk-ant-planted-0f1e2d3c",
      ANTHROPIC_BASE_URL: model.url,
      AI_GATEWAY_BASE_URL: `${model.url}/openrouter/v1`,
      AI_GATEWAY_API_KEY: "sk-or-planted-4d5e6f7a",
    },
  });
  await system.reach("ready");
  client = await openWebChat(system, createDevice(), 60_000);
  // A gateway's first turn takes seconds by itself.
  await answered();
});

afterAll(async () => {
  client?.close();
  await system?.stop();
  await model?.close();
  await behind?.close();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

async function answered(): Promise<void> {
  expect(await client.chat("the word is sloe", { deadlineMs })).toContain("sloe");
}

/** One turn while that is done: what the person reads, and how often each of the agent's calls was tried. */
async function turn(
  name: string,
  during: (turn: () => Promise<void>) => Promise<void>,
  sessionKey = "agent:main:main",
) {
  const before = (await endedCalls(system)).length;
  let said = "";
  await during(async () => {
    const began = Date.now();
    said = await client.chat("is anybody there?", { sessionKey, deadlineMs }).catch(String);
    process.stdout.write(`${name}: the turn ended after ${Date.now() - began} ms: ${said}\n`);
  });
  // Oldest first.
  const made = (await endedCalls(system)).toReversed().slice(before);
  const asked = Map.groupBy(made, ({ requestId }) => requestId);
  return { said, made, attempts: [...asked.values()].map((attempts) => attempts.length) };
}

const refused = (status: number, headers: Record<string, string> = {}): Trouble => ({
  kind: "status",
  status,
  headers,
});
const LIMITED = "API rate limit reached";
const OVERLOADED = "The AI service is temporarily overloaded";

test.each<[string, Trouble, string, number]>([
  ["rate limited", refused(429), LIMITED, 3],
  ["rate limited for a second", refused(429, { "retry-after": "1" }), LIMITED, 3],
  ["rate limited for a minute", refused(429, { "retry-after": "60" }), LIMITED, 1],
  ["broken", refused(500), "(provider internal error, HTTP 500)", 3],
  ["out of service", refused(503), "HTTP 503)", 3],
  ["overloaded", refused(529, { "retry-after-ms": "20" }), OVERLOADED, 3],
  ["said to be elsewhere", refused(307, { location: "http://example.com/" }), "HTTP 502)", 1],
])("a model that is %s ends the turn with that", async (name, trouble, words, attempts) => {
  const ended = await turn(name, (run) => model.keepsMeeting(trouble, run));
  expect(ended.said).toContain(words);
  expect(ended.attempts).toEqual([attempts]);
  await answered();
});

test.each<[string, Trouble, string, number]>([
  ["rate limited for a minute", refused(429, { "retry-after": "60" }), LIMITED, 1],
  ["broken", refused(500), "(provider internal error, HTTP 500)", 3],
])("so does one that speaks Chat Completions: %s", async (name, trouble, words, attempts) => {
  const sessionKey = "agent:main:chat-completions";
  await client.chat("/model openrouter/anthropic/claude-sonnet-5", { sessionKey, deadlineMs });
  const run = (during: () => Promise<void>) => model.keepsMeeting(trouble, during);
  const ended = await turn(`Chat Completions, ${name}`, run, sessionKey);
  expect(ended.said).toContain(words);
  expect(ended.attempts).toEqual([attempts]);
});

test("a model that is not there ends the turn with that", async () => {
  const { said, made, attempts } = await turn("not there", (run) => model.away(run));
  expect(said).toContain("the provider endpoint is unreachable");
  expect(attempts).toEqual([3]);
  for (const call of made) expect(call).toMatchObject({ reason: "unreachable", state: "free" });
  await answered();
});

test("an answer that breaks off is asked for once more by the agent", async () => {
  const { said, made } = await turn("one cut", (run) => {
    model.meets({ kind: "cut" });
    return run();
  });
  expect(said).toContain("is anybody there?");
  expect(made).toMatchObject([{ reason: "stream-broken" }, { state: "settled" }]);
});

test("and ends the turn when it breaks off again", async () => {
  const run = (during: () => Promise<void>) => model.keepsMeeting({ kind: "cut" }, during);
  const { said, attempts } = await turn("cut", run);
  expect(said).toContain("the turn ended as error");
  expect(attempts).toEqual([1, 1]);
  await answered();
});

test("a stream that nobody understands ends the turn with that, after what OpenClaw tries by itself", async () => {
  const run = (during: () => Promise<void>) => model.keepsMeeting({ kind: "malformed" }, during);
  const { said, attempts } = await turn("malformed", run);
  expect(said).toContain("contained a malformed fragment");
  expect(attempts).toEqual([1, 1, 1, 1]);
  await answered();
});
