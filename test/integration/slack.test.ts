/** Slack's events at the Worker's door and in the inbox, with a stand-in for the gateway. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { channelsReply, type ChannelsView } from "../../src/protocol/admin-channels.ts";
import { BOT_TOKEN, SIGNING_SECRET } from "../emulators/slack.ts";
import { signed } from "../emulators/slack-events.ts";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";

const OWNER = "U0OWNER";
const BOT = "U0THEBOT";
const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
let rig: AgentRig;
let count = 0;

beforeAll(async () => {
  rig = await startAgentRig({
    SLACK_BOT_TOKEN: BOT_TOKEN,
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    SLACK_DM_ALLOW_FROM: OWNER,
    SLACK_CHANNELS: "C0OPEN",
    SANDBOX_SLEEP_AFTER: "2s",
    CHANNEL_STRANGER_WAKES: "0",
  });
});
afterEach(async () => {
  for (const { n } of (await channels()).letters) await rig.call("dropLetter", n);
  await rig.reset();
});
afterAll(() => rig.close());

const channels = async (): Promise<ChannelsView> =>
  channelsReply.parse(await rig.call("channelsNow"));
const delivered = async (): Promise<string[]> =>
  (await rig.log()).flatMap((line) => /^deliver (.*)$/.exec(line)?.[1] ?? []);

function event(fields: Record<string, unknown>) {
  count += 1;
  return {
    token: "the-old-verification-token",
    type: "event_callback",
    event_id: `Ev${count}`,
    team_id: "T0TEAM",
    api_app_id: "A0APP",
    authorizations: [{ team_id: "T0TEAM", user_id: BOT, is_bot: true }],
    event: { ts: `1700000000.${String(count).padStart(6, "0")}`, ...fields },
  };
}

const direct = (user = OWNER, text = "hello", more: object = {}) =>
  event({ type: "message", user, text, channel: `D${user}`, channel_type: "im", ...more });
const spoken = (user: string, channel: string, text: string, more: object = {}) =>
  event({ type: "message", user, text, channel, channel_type: "channel", ...more });

interface Sent {
  type?: string;
  headers?: Record<string, string>;
  path?: string;
}

async function post(content: unknown, { type = JSON_TYPE, headers, path = "main" }: Sent = {}) {
  const body = typeof content === "string" ? content : JSON.stringify(content);
  const answer = await fetch(new URL(`/webhooks/slack/${path}`, rig.url), {
    method: "POST",
    headers: { "content-type": type, ...signed(SIGNING_SECRET, body), ...headers },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

async function empty(): Promise<void> {
  await expect.poll(async () => (await channels()).letters, { timeout: 60_000 }).toEqual([]);
}

const asleep = async () => {
  expect((await channels()).letters).toEqual([]);
  expect((await rig.status()).phase).toBe("stopped");
};

describe("an event", () => {
  it("wakes an agent that sleeps, is kept once, and reaches the gateway signed with its own secret", async () => {
    const one = direct();
    expect(await post(one)).toEqual({ status: 200, text: "" });
    const again = await post(one, {
      headers: { "x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout" },
    });
    expect(again.status).toBe(200);
    await empty();
    const [body = "", ...others] = await delivered();
    expect(others).toEqual([]);
    expect(JSON.parse(body)).toMatchObject({ event_id: one.event_id, event: one.event });
    expect(body).not.toContain("verification-token");
    await rig.until(({ phase }) => phase === "stopped");
  });

  it("that asks for the address to be proved is answered, and nothing else happens", async () => {
    const answer = await post({ type: "url_verification", challenge: "c-123", token: "x" });
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining("c-123") });
    await asleep();
  });

  it("that tells of the bot's own words, or of no interest to anybody, wakes nobody", async () => {
    const own = { bot_id: "B0THEBOT", app_id: "A0APP" };
    for (const one of [
      direct(BOT, "what I said"),
      spoken("U0X", "C0OPEN", "edited", { subtype: "message_changed", message: own }),
      direct(OWNER, "mine", own),
      spoken("U0X", "C0OPEN", "people talk to each other"),
      spoken(OWNER, "C0CLOSED", "people talk to each other"),
      spoken("U0X", "C0CLOSED", `<@${BOT}> let me in`),
      event({ type: "reaction_added", user: "U0X", item: { channel: "C0OPEN" } }),
      { type: "app_rate_limited" },
    ]) {
      expect((await post(one)).status).toBe(200);
    }
    await asleep();
  });

  it("by somebody unknown is answered by the Worker once, without a wake", async () => {
    for (let n = 0; n < 5; n += 1) await post(direct("U0NOBODY"));
    await asleep();
    await expect
      .poll(() => rig.fetched.filter((url) => url.endsWith("/chat.postMessage")).length)
      .toBe(1);
  });
});

describe("in a channel", () => {
  it("a mention is taken where the settings say so or by whom they name, and the thread goes on", async () => {
    const mention = spoken("U0TEAM", "C0OPEN", `<@${BOT}> look`, { type: "app_mention" });
    const thread = { thread_ts: mention.event.ts };
    const follow = spoken("U0TEAM", "C0OPEN", "and this?", thread);
    const other = spoken("U0TEAM", "C0OPEN", "elsewhere", { thread_ts: "1.1" });
    const reply = spoken("U0TEAM", "C0OPEN", "to you", {
      thread_ts: "2.2",
      parent_user_id: BOT,
    });
    const own = spoken(OWNER, "C0CLOSED", `<@${BOT}> mine`);
    for (const one of [mention, follow, other, reply, own]) await post(one);
    await empty();
    const ids = (await delivered()).map((body) => JSON.parse(body).event_id);
    expect(ids).toEqual([mention, follow, reply, own].map((one) => one.event_id));
  });

  it("what somebody let in does besides waits for the agent without waking it", async () => {
    await post(event({ type: "reaction_added", user: OWNER, item: { channel: "C0CLOSED" } }));
    expect((await channels()).letters).toMatchObject([{ kind: "other", state: "waiting" }]);
    expect((await rig.status()).phase).toBe("stopped");
    await post(direct());
    await empty();
    expect(await delivered()).toHaveLength(2);
  });
});

describe("slash commands and buttons", () => {
  const command = (user: string, trigger: string) =>
    new URLSearchParams({
      ...{ command: "/openclaw", text: "status", user_id: user, channel_id: "D1" },
      ...{ trigger_id: trigger, response_url: "https://hooks.slack.com/commands/T/1/x" },
      token: "the-old-verification-token",
    }).toString();

  it("are taken once and handed over as forms", async () => {
    for (let n = 0; n < 2; n += 1) {
      const answer = await post(command(OWNER, "t.1"), { type: FORM_TYPE });
      expect(answer).toEqual({ status: 200, text: "" });
    }
    const payload = JSON.stringify({
      ...{ type: "block_actions", user: { id: OWNER }, trigger_id: "t.2", token: "the-old" },
      actions: [{ action_id: "go" }],
    });
    await post(new URLSearchParams({ payload }).toString(), { type: FORM_TYPE });
    await empty();
    const [first = "", second = "", ...others] = await delivered();
    expect(others).toEqual([]);
    expect(new URLSearchParams(first).get("text")).toBe("status");
    expect(first).not.toContain("verification");
    expect(new URLSearchParams(first).get("response_url")).toMatch(/\/x\?moltworker=[\w-]{43}$/);
    expect(JSON.parse(new URLSearchParams(second).get("payload") ?? "")).toMatchObject({
      actions: [{ action_id: "go" }],
    });
  });

  it("of strangers are dropped, and a list that is asked for is empty at once", async () => {
    await post(command("U0NOBODY", "t.3"), { type: FORM_TYPE });
    const other = await post(command(OWNER, "t.4").replace("openclaw", "other"), {
      type: FORM_TYPE,
    });
    expect(other).toMatchObject({ status: 200, text: expect.stringContaining("/openclaw") });
    const payload = JSON.stringify({ type: "block_suggestion", user: { id: OWNER } });
    const answer = await post(new URLSearchParams({ payload }).toString(), { type: FORM_TYPE });
    expect(answer).toEqual({ status: 200, text: '{"options":[]}' });
    await asleep();
  });
});

describe("what is not Slack's", () => {
  const seconds = () => Math.floor(Date.now() / 1000);

  it.each<[string, unknown, Sent | (() => Sent), number]>([
    [
      "a wrong signature",
      direct(),
      { headers: { "x-slack-signature": `v0=${"0".repeat(64)}` } },
      401,
    ],
    ["no signature", direct(), { headers: { "x-slack-signature": "" } }, 401],
    ["a signature of another kind", direct(), { headers: { "x-slack-signature": "v1=1" } }, 401],
    ["no time", direct(), { headers: { "x-slack-request-timestamp": "" } }, 401],
    [
      "somebody else's secret",
      "{}",
      () => ({ headers: signed("f".repeat(32), "{}", seconds()) }),
      401,
    ],
    [
      "a replay after six minutes",
      "{}",
      () => ({ headers: signed(SIGNING_SECRET, "{}", seconds() - 360) }),
      401,
    ],
    [
      "a time in the future",
      "{}",
      () => ({ headers: signed(SIGNING_SECRET, "{}", seconds() + 360) }),
      401,
    ],
    ["a changed body", `{"a":1}`, () => ({ headers: signed(SIGNING_SECRET, `{"a":2}`) }), 401],
    ["malformed JSON", "{", {}, 400],
    ["no event", { hello: 1 }, {}, 400],
    ["an event without an id", { ...direct(), event_id: 7 }, {}, 400],
    ["another content type", direct(), { type: "text/plain" }, 400],
    ["a form without anything", "a=b", { type: FORM_TYPE }, 400],
    ["an interaction that is no JSON", "payload=%7B", { type: FORM_TYPE }, 400],
    ["a huge body", `"${"x".repeat(600_000)}"`, {}, 413],
    ["another agent", direct(), { path: "other" }, 404],
    ["something below", direct(), { path: "main/more" }, 404],
  ])("%s is refused; nothing is stored and nothing woken", async (_name, content, sent, status) => {
    expect(await post(content, typeof sent === "function" ? sent() : sent)).toMatchObject({
      status,
    });
    await asleep();
  });

  it("a flood of five hundred leaves the owner's message alone", async () => {
    const headers = { "x-slack-signature": `v0=${"1".repeat(64)}` };
    const flood = Array.from({ length: 500 }, () => post(direct(), { headers }));
    const own = direct();
    const taken = post(own);
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]));
    await taken;
    // Behind such a flood the answer may be that it is late: Slack sends it again then.
    await expect.poll(async () => (await post(own)).status).toBe(200);
    await empty();
    expect(await delivered()).toHaveLength(1);
  });
});

describe("Slack is told to send an event again", () => {
  it("when the inbox is full, and it is taken once there is room", async () => {
    await rig.call("fillInbox");
    const one = direct();
    expect(await post(one)).toMatchObject({
      status: 503,
      text: expect.stringContaining("inbox_full"),
    });
    expect((await rig.status()).phase).toBe("stopped");
    await rig.call("emptyInbox");
    expect(await post(one)).toEqual({ status: 200, text: "" });
    await empty();
    expect(await delivered()).toHaveLength(1);
  });

  it("when the inbox does not answer in time, and it is kept once", async () => {
    const one = direct();
    const held = rig.call("hold", 6_000);
    await expect
      .poll(() => post(one), { timeout: 20_000 })
      .toMatchObject({ status: 503, text: expect.stringContaining("inbox_late") });
    await held;
    expect(await post(one)).toEqual({ status: 200, text: "" });
    await empty();
    expect(await delivered()).toHaveLength(1);
  });
});

// Last, since these settings stay.
describe("a direct message of somebody new", () => {
  const under = async (policy: string) => {
    await rig.deploy({ SLACK_DM_POLICY: policy });
    await rig.status();
  };

  it("wakes the agent under the policy open", async () => {
    await under("open");
    const one = direct("U0NEW");
    expect((await post(one)).status).toBe(200);
    await empty();
    expect((await delivered()).join("\n")).toContain(one.event_id);
  });

  it("does not reach it under the policy allowlist, awake or not", async () => {
    await under("allowlist");
    const strange = direct("U0NEW");
    expect((await post(strange)).status).toBe(200);
    await asleep();
    const own = direct();
    await post(own);
    await rig.until(({ phase }) => phase === "ready");
    await post(direct("U0NEWER"));
    await empty();
    expect((await delivered()).map((body) => JSON.parse(body).event_id)).toEqual([own.event_id]);
  });
});
