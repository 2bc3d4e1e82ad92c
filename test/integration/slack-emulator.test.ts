/** The emulator against the client that everybody uses, so that what passes here passes at Slack. */
import { App, HTTPReceiver, LogLevel, SocketModeReceiver } from "@slack/bolt";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  APP_TOKEN,
  BOT_TOKEN,
  SIGNING_SECRET,
  startSlack,
  type SlackEmulator,
} from "../emulators/slack.ts";
import { BOT } from "../emulators/slack-workspace.ts";

const ALICE = "U0ALICE";
const DIRECT = "D0ALICE";
let slack: SlackEmulator;

beforeAll(async () => {
  slack = await startSlack({ hosts: "loopback" });
});
afterAll(() => slack?.close());

const client = () => ({
  token: BOT_TOKEN,
  logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: `${slack.apiUrl}/` },
});

function answering(app: App, seen: string[], refuse: () => boolean = () => false): void {
  app.message(async ({ message, say, client: web }) => {
    // The bot's own words come back as well, whenever they come.
    if (message.subtype !== undefined && message.subtype !== "file_share") return;
    if (refuse()) throw new Error("not now");
    seen.push(message.text ?? "");
    const sent = await say(`you said ${message.text}`);
    await web.chat.update({ channel: message.channel, ts: sent.ts ?? "", text: "edited" });
  });
  app.event("app_mention", async ({ event }) => void seen.push(`mention ${event.text}`));
  app.command("/openclaw", async ({ command, ack, respond }) => {
    await ack();
    await respond(`ran ${command.text}`);
  });
  app.action("go", async ({ ack }) => {
    seen.push("pressed");
    await ack();
  });
}

describe("over HTTP", () => {
  let app: App;
  const seen: string[] = [];
  let refusals = 0;

  beforeAll(async () => {
    const receiver = new HTTPReceiver({
      signingSecret: SIGNING_SECRET,
      processBeforeResponse: true,
      logLevel: LogLevel.ERROR,
    });
    app = new App({ ...client(), receiver });
    answering(app, seen, () => {
      refusals -= 1;
      return refusals >= 0;
    });
    const server = await app.start({ port: 0, host: "127.0.0.1" });
    slack.requestUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`;
  });
  afterAll(async () => {
    slack.requestUrl = undefined;
    await app?.stop();
  });

  test("bolt takes a signed message, answers and edits; its own words come back and are passed over", async () => {
    slack.write(ALICE, "hello");
    await slack.until("the edit", () => slack.texts(DIRECT).find((text) => text === "edited"));
    expect(seen).toEqual(["hello"]);
  });

  test("an event that was not taken comes again with the same id", async () => {
    refusals = 2;
    const before = slack.attempts.length;
    slack.write(ALICE, "again");
    await slack.until("the answer", () => (seen.includes("again") ? true : undefined));
    const refused = slack.attempts.slice(before).find(({ status }) => status === 500);
    const id = refused?.id;
    const own = () => slack.attempts.filter((attempt) => attempt.id === id);
    await slack.until("the last attempt", () => own().find(({ status }) => status === 200));
    expect(own().map(({ status }) => status)).toEqual([500, 500, 200]);
  });

  test("a mention comes as two events; commands and buttons are answered", async () => {
    slack.speak(ALICE, "C0TEAM", `<@${BOT}> look`);
    await slack.until("the mention", () =>
      seen.some((text) => text.startsWith("mention")) ? true : undefined,
    );
    await slack.command(ALICE, "/help");
    const [answer] = slack.answers;
    expect(answer?.body).toContain("ran /help");
    await slack.interact({
      type: "block_actions",
      user: { id: ALICE, username: "alice" },
      channel: { id: DIRECT },
      actions: [{ type: "button", action_id: "go", block_id: "b", value: "1", action_ts: "1.1" }],
    });
    expect(seen).toContain("pressed");
  });

  test("a wrong signature is turned away", async () => {
    const answer = await fetch(slack.requestUrl ?? "", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-slack-request-timestamp": String(Math.floor(Date.now() / 1000)),
        "x-slack-signature": `v0=${"0".repeat(64)}`,
      },
      body: "{}",
    });
    expect(answer.status).toBe(401);
  });

  test("a file goes up in three steps and comes down with the token only", async () => {
    const bytes = Buffer.from([1, 2, 3, 255]);
    await app.client.files.uploadV2({ channel_id: DIRECT, file: bytes, filename: "cat.png" });
    const stored = [...slack.files.values()].find(({ name }) => name === "cat.png");
    expect(stored).toMatchObject({ shared: true });
    expect(Buffer.from(stored?.content ?? []).equals(bytes)).toBe(true);
    const info = await app.client.files.info({ file: stored?.id ?? "" });
    const address = info.file?.url_private ?? "";
    const bare = await fetch(address, { redirect: "manual" });
    expect(bare.status).toBe(302);
    const own = await fetch(address, { headers: { authorization: `Bearer ${BOT_TOKEN}` } });
    expect(Buffer.from(await own.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test("a token that is not the bot's is refused", async () => {
    await expect(app.client.auth.test({ token: "xoxb-other" })).rejects.toThrow("invalid_auth");
    await expect(app.client.apiCall("apps.connections.open", { token: BOT_TOKEN })).rejects.toThrow(
      "not_allowed_token_type",
    );
  });
});

describe("in Socket Mode", () => {
  test("bolt connects, takes messages, and connects again when Slack asks or the line is cut", async () => {
    const receiver = new SocketModeReceiver({
      appToken: APP_TOKEN,
      logLevel: LogLevel.ERROR,
      installerOptions: { clientOptions: { slackApiUrl: `${slack.apiUrl}/` } },
    });
    const app = new App({ ...client(), receiver });
    const seen: string[] = [];
    answering(app, seen);
    await app.start();
    const taken = (text: string) =>
      slack.until(text, () => (seen.includes(text) ? true : undefined));
    try {
      slack.write(ALICE, "one");
      await taken("one");
      slack.sockets.disconnect("refresh_requested");
      slack.write(ALICE, "two");
      await taken("two");
      slack.sockets.cut();
      slack.write(ALICE, "three");
      await taken("three");
      await slack.command(ALICE, "status");
      await slack.until("the answer", () =>
        slack.answers.find(({ body }) => body.includes("ran status")),
      );
      expect(seen).toEqual(["one", "two", "three"]);
    } finally {
      await app.stop();
    }
  });
});
