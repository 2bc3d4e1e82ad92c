/**
 * Slack with the real agent: in Socket Mode, as on one's own machine, and over HTTP, as on a public
 * address. A personal assistant with a reminder that finds it asleep.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { channelsReply, type ChannelsView } from "../../src/protocol/admin-channels.ts";
import {
  APP_TOKEN,
  BOT_TOKEN,
  SIGNING_SECRET,
  startSlack,
  type SlackEmulator,
} from "../emulators/slack.ts";
import { BOT } from "../emulators/slack-workspace.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";

const OLGA = "U0OLGA";
const BOB = "U0BOB";
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
let stateDir: string;
let slack: SlackEmulator;
let system: RunningSystem;

beforeAll(async () => {
  stateDir = await makeStateDir();
  slack = await startSlack();
  system = await startSystem({
    stateDir,
    env: {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_APP_TOKEN: APP_TOKEN,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_API_URL: slack.apiUrl,
      SLACK_CHANNELS: "C0TEAM",
      SANDBOX_SLEEP_AFTER: "1h",
      CHANNEL_OWNERS: `slack:${OLGA}`,
    },
  });
  await system.reach("ready");
});

afterAll(async () => {
  await system?.stop();
  await slack?.close();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

const channels = async (): Promise<ChannelsView> =>
  channelsReply.parse(await system.admin("/api/channels"));

const direct = (user: string) => `D${user.slice(1)}`;

const said = (channel: string, part: string, deadlineMs = 90_000) =>
  slack.until(
    `“${part}”`,
    () => slack.texts(channel).find((text) => text.includes(part)),
    deadlineMs,
  );

test("a first message asks for pairing, an approval opens the conversation, a question is answered", async () => {
  slack.write(BOB, "hello?");
  await said(direct(BOB), "Pairing code");
  const { pairing } = await channels();
  const request = pairing.known
    ? pairing.requests.find(({ senderId }) => senderId === BOB)
    : undefined;
  if (request === undefined) throw new Error(`no request: ${JSON.stringify(pairing)}`);
  const { channel, requestId } = request;
  await system.admin("/api/channels/approve", { body: { channel, requestId } });
  await said(direct(BOB), "approved");
  slack.write(BOB, "the word is quince");
  await said(direct(BOB), "You said: the word is quince");
  const after = await channels();
  expect(after.senders).toMatchObject([{ channel: "slack", id: BOB, barred: false }]);
  expect(after.channels).toMatchObject([
    { id: "slack", connection: "connected", way: "socket", account: "@agent (Emulated)", dead: 0 },
  ]);
  await expect.poll(async () => (await channels()).letters, { timeout: 30_000 }).toEqual([]);
});

test("a photo arrives at the model, and one that the agent made comes back", async () => {
  slack.write(OLGA, "look at this", {
    subtype: "file_share",
    files: [slack.upload(PNG, "cat.png")],
  });
  await said(direct(OLGA), "media attached");
  const file = "~/.openclaw/workspace/cat.png";
  slack.write(
    OLGA,
    `tool: exec {"command": "mkdir -p ~/.openclaw/workspace && echo ${PNG.toString("base64")} | base64 -d > ${file}"}`,
  );
  await said(direct(OLGA), "The tool answered");
  slack.write(OLGA, "here it is\nMEDIA:/home/agent/.openclaw/workspace/cat.png");
  const sent = await slack.until(
    "the photo",
    () => [...slack.files.values()].find(({ id, shared }) => id.startsWith("F0UP") && shared),
    90_000,
  );
  expect(Buffer.from(sent.content).equals(PNG)).toBe(true);
});

test("a mention in a channel is answered there; what people say to each other is not handed on", async () => {
  slack.speak("U0CAROL", "C0TEAM", "only among us");
  slack.speak("U0CAROL", "C0TEAM", `<@${BOT}> what of the team?`);
  expect(await said("C0TEAM", "what of the team?")).toContain("You said");
  slack.speak("U0CAROL", "C0OTHER", `<@${BOT}> and here?`);
  await slack.command(OLGA, "/status");
  await slack.until("the answer to the command", () => slack.answers[0], 90_000);
  slack.write(OLGA, "and now?");
  await said(direct(OLGA), "You said: and now?");
  expect(slack.texts("C0OTHER")).toEqual([]);
  expect(slack.texts("C0TEAM").join("\n")).not.toContain("You said: only among us");
});

test("over HTTP a message wakes an agent that sleeps: a sign of life, then the answer", async () => {
  await system.admin("/api/agent/stop", { body: {} });
  await system.reach("stopped");
  slack.requestUrl = new URL("/webhooks/slack/main", system.url).href;
  const before = slack.calls.length;
  const sentAt = Date.now();
  const ts = slack.write(BOB, "are you awake?");
  const since = (method: string) => () =>
    slack.calls.slice(before).find((call) => call.method === method);
  const sign = await slack.until("a sign of life", since("reactions.add"));
  await said(direct(BOB), "You said: are you awake?", 120_000);
  const answered = Date.now() - sentAt;
  expect(sign.params).toMatchObject({ channel: direct(BOB), timestamp: ts });
  expect(sign.at - sentAt).toBeLessThan(answered);
  await slack.until("its end", since("reactions.remove"));
  process.stdout.write(`asleep: sign of life ${sign.at - sentAt} ms, answer ${answered} ms\n`);
  slack.write(BOB, "history");
  expect(await said(direct(BOB), "Before this you said")).toContain("the word is quince");
  expect(slack.attempts.filter(({ way, status }) => way === "http" && status !== 200)).toEqual([]);
});

test("in Socket Mode a reminder that comes due while it sleeps reaches its owner once", async () => {
  slack.requestUrl = undefined;
  const due = Date.now() + 120_000;
  const job = {
    name: "pears",
    schedule: { kind: "at", at: new Date(due).toISOString() },
    sessionTarget: "isolated",
    payload: { kind: "agentTurn", message: "buy pears" },
    delivery: { mode: "announce", channel: "slack", to: `user:${OLGA}` },
  };
  // The gateway offers this tool behind its search.
  const call = { id: "automations", args: { action: "add", job } };
  slack.write(OLGA, `tool: tool_call ${JSON.stringify(call)}`);
  expect(await said(direct(OLGA), "pears")).toContain("The tool answered");
  const stopped = await system.stopAgent();
  await said(direct(OLGA), "pears] buy pears", 300_000);
  const late = Date.now() - due;
  expect((await system.status()).startGeneration).toBeGreaterThan(stopped);
  await system.stopAgent();
  const told = slack.texts(direct(OLGA)).filter((text) => text.includes("pears] buy pears"));
  expect(told).toHaveLength(1);
  process.stdout.write(`a reminder while asleep: there ${late} ms after it was due\n`);
  expect((await channels()).channels).toMatchObject([{ connection: "connected", way: "socket" }]);
}, 600_000);

test("no part of a token is in the sandbox", async () => {
  slack.write(
    OLGA,
    `tool: exec {"command": "env | grep -ciE emulated[B]ot; grep -rlaiE 'emulated[B]ottoken|emulated[a]pptoken|0f1e2d3c[4]b5a' ~ /run /tmp 2>/dev/null; echo search'e'd"}`,
  );
  const answer = await said(direct(OLGA), "searched", 120_000);
  expect(answer).not.toContain("openclaw");
});
