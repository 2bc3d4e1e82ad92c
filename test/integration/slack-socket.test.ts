/** Socket Mode, held by the Durable Object: with Slack on loopback and a stand-in for the gateway. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { channelsReply, type ChannelView } from "../../src/protocol/admin-channels.ts";
import { APP_TOKEN, BOT_TOKEN, startSlack, type SlackEmulator } from "../emulators/slack.ts";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";

const OWNER = "U0OWNER";
/** And a second more. */
const QUARTER_MS = 15 * 60_000 + 1_000;
let rig: AgentRig;
let slack: SlackEmulator;

beforeAll(async () => {
  slack = await startSlack();
  rig = await startAgentRig(
    {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_APP_TOKEN: APP_TOKEN,
      SLACK_API_URL: slack.apiUrl,
      SLACK_DM_ALLOW_FROM: OWNER,
      CHANNEL_OWNERS: `slack:${OWNER}`,
      SANDBOX_SLEEP_AFTER: "2s",
    },
    new URL(slack.apiUrl).origin,
  );
  await rig.status();
});
afterEach(() => rig.reset());
afterAll(async () => {
  await rig?.close();
  await slack?.close();
});

const slackView = async (): Promise<ChannelView | undefined> =>
  channelsReply.parse(await rig.call("channelsNow")).channels[0];
const connected = (sockets: number) =>
  expect
    .poll(async () => [(await slackView())?.connection, slack.sockets.size], { timeout: 20_000 })
    .toEqual(["connected", sockets]);
const events = async (): Promise<string[]> =>
  (await rig.log()).flatMap((line) => {
    const body = /^deliver (.*)$/.exec(line)?.[1];
    return body === undefined ? [] : [JSON.parse(body).event.text];
  });
const opened = () => slack.calls.filter(({ method }) => method === "apps.connections.open").length;

it("a message wakes an agent that sleeps and is acknowledged once it is stored", async () => {
  await connected(1);
  expect(await slackView()).toMatchObject({ way: "socket", account: "@agent (Emulated)" });
  const ts = slack.write(OWNER, "one");
  await expect.poll(events, { timeout: 20_000 }).toEqual(["one"]);
  await expect.poll(() => slack.attempts.map(({ status }) => status)).toEqual([200]);
  const hourglass = `D0OWNER ${ts} hourglass_flowing_sand`;
  await expect
    .poll(() => slack.calls.map(({ method }) => method))
    .toEqual(expect.arrayContaining(["reactions.add", "reactions.remove"]));
  expect(slack.reactions.has(hourglass)).toBe(false);
  await rig.until(({ phase }) => phase === "stopped");
  expect(slack.sockets.size).toBe(1);
});

it("a connection that Slack wants renewed is replaced before it ends, and nothing is missed", async () => {
  await connected(1);
  const before = opened();
  slack.sockets.disconnect("refresh_requested");
  slack.write(OWNER, "two");
  await expect.poll(events, { timeout: 20_000 }).toEqual(["two"]);
  await connected(1);
  expect(opened()).toBe(before + 1);
});

it("a line that is cut is connected again, and so it is by a new Durable Object", async () => {
  await connected(1);
  slack.sockets.cut();
  slack.write(OWNER, "three");
  await expect.poll(events, { timeout: 20_000 }).toEqual(["three"]);
  // What no backup holds yet would come again.
  await expect
    .poll(async () => channelsReply.parse(await rig.call("channelsNow")).letters, {
      timeout: 20_000,
    })
    .toEqual([]);
  await rig.call("evict").catch(() => undefined);
  await expect.poll(() => slack.sockets.size, { timeout: 20_000 }).toBe(0);
  await rig.status();
  await connected(1);
  slack.write(OWNER, "four");
  await expect.poll(events, { timeout: 20_000 }).toEqual(["three", "four"]);
});

it("a slash command is answered while the agent wakes, a list that is asked for at once", async () => {
  await connected(1);
  await slack.interact({ type: "block_suggestion", user: { id: OWNER } });
  expect(slack.attempts.at(-1)).toMatchObject({ status: 200, body: '{"options":[]}' });
  expect((await rig.status()).phase).toBe("stopped");
});

it("an address of somebody else is given no connection", async () => {
  await connected(1);
  slack.socketsAt = "ws://127.0.0.1:1/link/?ticket=stolen";
  slack.sockets.cut();
  await expect
    .poll(async () => (await slackView())?.error?.message ?? "", { interval: 20 })
    .toContain("no usable address");
  expect(rig.fetched.join("\n")).not.toContain("stolen");
  slack.socketsAt = undefined;
  await connected(1);
});

it("Socket Mode that is switched off is said in plain words", async () => {
  await connected(1);
  const shows = async () => {
    const said = async () => (await slackView())?.error?.message ?? "";
    await expect.poll(said, { interval: 20 }).toContain("switched off");
  };
  await Promise.all([
    // It shows until the next try, a second later: the look at it begins before.
    shows(),
    slack.sockets.disconnect("link_disabled"),
  ]);
  await connected(1);
});

it("a connection that is a quarter of an hour old is replaced, and a message comes once", async () => {
  await connected(1);
  const before = opened();
  await rig.call("tendLater", 0);
  expect(opened()).toBe(before);
  await rig.call("tendLater", QUARTER_MS);
  expect(opened()).toBe(before + 1);
  expect(slack.sockets.size).toBe(2);
  slack.write(OWNER, "five");
  await expect.poll(events, { timeout: 20_000 }).toEqual(["five"]);
});

// Last, since the cap stays.
it("an alert of a spending cap reaches the owner in their direct chat", async () => {
  await rig.call("passCap");
  await expect
    .poll(() => slack.texts(`D${OWNER.slice(1)}`).join("\n"), { timeout: 20_000 })
    .toContain("100 % of the cap for today");
});
