/** The webhook as the Worker registers it with Telegram, and what changes when the settings do. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { channelsReply } from "../../src/protocol/admin-channels.ts";
import { startTelegram, type TelegramEmulator } from "../emulators/telegram.ts";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";

const olga = { id: 55, first_name: "Olga" };
let telegram: TelegramEmulator;
let rig: AgentRig;

beforeAll(async () => {
  telegram = await startTelegram({
    route: (url) => url.replace(/^https:\/\/\w+\.example/, rig.url.origin),
  });
  rig = await startAgentRig(
    {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_URL: telegram.url,
      CHANNEL_OWNERS: `telegram:${olga.id}`,
      WORKER_URL: "https://agent.example",
    },
    telegram.url,
  );
});
afterAll(async () => {
  await rig?.close();
  await telegram?.close();
});

const view = async () => channelsReply.parse(await rig.call("channelsNow")).channels[0];
const delivered = async () =>
  (await rig.log()).flatMap((line) => /^deliver (.*)$/.exec(line)?.[1] ?? []);
const hookAt = (url: string) =>
  telegram.until(`the webhook at ${url}`, () =>
    telegram.webhook?.url === url ? telegram.webhook : undefined,
  );
const deploy = async (settings: Record<string, string>) => {
  await rig.deploy(settings);
  await rig.status();
};

it("is registered with a secret and what the gateway handles, follows the settings, and gives way to the long poll", async () => {
  await deploy({});
  const { secret_token: secret } = await hookAt("https://agent.example/webhooks/telegram/main");
  expect(secret).toMatch(/^[\w-]{32,}$/);
  expect(secret).not.toContain(telegram.token.slice(7));
  const set = telegram.calls.find(({ method }) => method === "setWebhook");
  expect(set?.params["allowed_updates"]).toContain("callback_query");
  await expect.poll(view, { timeout: 20_000 }).toMatchObject({
    connection: "connected",
    way: "webhook",
    account: "@emulated_bot",
    address: "https://agent.example/webhooks/telegram/main",
  });

  // Somebody else who has the token points it elsewhere.
  await fetch(`${telegram.url}/bot${telegram.token}/setWebhook?url=https://thief.example/`);
  await rig.call("evict").catch(() => undefined);
  await rig.status();
  await hookAt("https://agent.example/webhooks/telegram/main");

  await deploy({ WORKER_URL: "https://moved.example" });
  await hookAt("https://moved.example/webhooks/telegram/main");

  await deploy({ TELEGRAM_BOT_TOKEN: "424242:AAwrong-token-0123456789abcdefghij" });
  await expect.poll(view, { timeout: 20_000 }).toMatchObject({
    connection: "failed",
    error: { message: expect.stringContaining("@BotFather") },
  });

  await deploy({ WORKER_URL: "http://127.0.0.1:8787" });
  const polled = telegram.write(olga, "by the long poll");
  await expect.poll(delivered, { timeout: 30_000 }).toContain(String(polled));
  expect(telegram.webhook).toBeUndefined();
  await expect.poll(() => telegram.waiting, { timeout: 30_000 }).toBe(0);
  expect(await view()).toMatchObject({ connection: "connected", way: "poll" });
});

it("a message is pushed again until it was taken, shows typing at once, and arrives once", async () => {
  await deploy({});
  await hookAt("https://agent.example/webhooks/telegram/main");
  await rig.call("stop");
  const before = telegram.calls.length;
  const sent = telegram.write(olga, "are you there?");
  await telegram.until("typing", () =>
    telegram.calls
      .slice(before)
      .find(({ method, params }) => method === "sendChatAction" && params["chat_id"] === "55"),
  );
  await expect.poll(delivered, { timeout: 30_000 }).toContain(String(sent));
  expect((await delivered()).filter((id) => id === String(sent))).toHaveLength(1);
});

it("an alert of a spending cap reaches the owner on their channel", async () => {
  await deploy({});
  await rig.call("passCap");
  await expect
    .poll(() => telegram.texts(olga.id).join("\n"), { timeout: 20_000 })
    .toContain("100 % of the cap for today");
});
