/**
 * Telegram and Discord beside the web chat, with the real agent: one conversation for its owner, the
 * policies `open` and `allowlist`, and a team that is answered while the first model fails.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDemoModel } from "../../src/local/demo-model/server.ts";
import { startDiscord, type DiscordEmulator } from "../emulators/discord.ts";
import { GUILD_ID, TEAM_CHANNEL } from "../emulators/discord-world.ts";
import { endedCalls } from "../support/ended-calls.ts";
import {
  startTroubledModel,
  type Trouble,
  type TroubledModel,
} from "../support/model-in-trouble.ts";
import { startTelegramSystem, type TelegramSystem } from "../support/telegram-system.ts";

const FALLBACK = "claude-sonnet-5";
const olga = { id: 55, first_name: "Olga" };
const olgaThere = { id: "700000000000000055", username: "olga" };
const anybody = { id: 88, first_name: "Andy" };
const nora = { id: "700000000000000077", username: "nora" };
const mallory = { id: "700000000000000066", username: "mallory" };
const carol = { id: "700000000000000003", username: "carol" };
const dave = { id: "700000000000000004", username: "dave" };
let behind: Awaited<ReturnType<typeof startDemoModel>>;
let model: TroubledModel;
let discord: DiscordEmulator;
let running: TelegramSystem;

beforeAll(async () => {
  behind = await startDemoModel({ wordMs: 1 });
  model = await startTroubledModel(behind.url);
  discord = await startDiscord();
  running = await startTelegramSystem({
    TELEGRAM_DM_POLICY: "open",
    DISCORD_BOT_TOKEN: discord.token,
    DISCORD_API_URL: discord.url,
    DISCORD_GUILDS: GUILD_ID,
    DISCORD_DM_POLICY: "allowlist",
    DISCORD_DM_ALLOW_FROM: nora.id,
    CHANNEL_OWNERS: `telegram:${olga.id},discord:${olgaThere.id}`,
    ANTHROPIC_API_KEY: "sk-ant-planted-9a8b7c6d",
    ANTHROPIC_BASE_URL: model.url,
  });
  await running.system.reach("ready");
});

afterAll(async () => {
  await running?.close();
  await discord?.close();
  await model?.close();
  await behind?.close();
});

const onTelegram = (chat: number, part: string) =>
  running.telegram.until(
    `“${part}” on Telegram`,
    () => running.telegram.texts(chat).find((text) => text.includes(part)),
    90_000,
  );
const onDiscord = (chat: string, part: string) =>
  discord.until(
    `“${part}” on Discord`,
    () => discord.texts(chat).find((text) => text.includes(part)),
    90_000,
  );

test("what the owner says on Telegram, on Discord and in the web chat is one conversation", async () => {
  const { telegram } = running;
  telegram.write(olga, "the tree is a sorb");
  await onTelegram(olga.id, "You said: the tree is a sorb");
  discord.write(olgaThere, "the bush is a medlar");
  const chat = discord.chat(olgaThere);
  await onDiscord(chat, "You said: the bush is a medlar");
  const web = await running.webChat();
  await web.chat("the hedge is a hornbeam");
  expect(await web.chat("history")).toMatch(/sorb[^]*medlar[^]*hornbeam/);
  web.close();
  telegram.write(olga, "history");
  expect(await onTelegram(olga.id, "Before this you said")).toMatch(/sorb[^]*medlar[^]*hornbeam/);
  discord.write(olgaThere, "history");
  expect(await onDiscord(chat, "Before this you said")).toMatch(/sorb[^]*medlar[^]*hornbeam/);
});

test("under `open` somebody new is answered at once, in a conversation of their own", async () => {
  running.telegram.write(anybody, "history");
  await onTelegram(anybody.id, "first thing you said");
  expect(running.telegram.texts(anybody.id).join("\n")).not.toMatch(/Pairing|sorb|medlar/);
  const { channels, pairing } = await running.channels();
  expect(channels).toMatchObject([
    { id: "telegram", policy: "open" },
    { id: "discord", policy: "allowlist" },
  ]);
  expect(pairing).toMatchObject({ known: true, requests: [] });
});

test("under `allowlist` a stranger is told so once and never reaches the agent", async () => {
  const asked = model.asked.length;
  discord.write(mallory, "let me in");
  const chat = discord.chat(mallory);
  await onDiscord(chat, "does not know you yet");
  discord.write(mallory, "history");
  // Messages are handed over in order: what came before this one was seen.
  discord.write(nora, "the stone is a flint");
  await onDiscord(discord.chat(nora), "You said: the stone is a flint");
  expect(discord.texts(chat)).toHaveLength(1);
  const { pairing, senders } = await running.channels();
  expect(pairing).toMatchObject({ known: true, requests: [] });
  expect(senders).toEqual([]);
  expect(model.asked.length).toBe(asked + 1);
});

test("a team that asks on Discord while the first model fails is answered by the fallback", async () => {
  const { system } = running;
  await system.admin("/api/models/routing", {
    method: "PUT",
    body: { fallbacks: [`anthropic/${FALLBACK}`], patienceSeconds: 4 },
  });
  const troubles: [typeof carol, string, Trouble][] = [
    [carol, "the release is on Monday", { kind: "status", status: 529 }],
    [dave, "the tests are green", { kind: "hang", headers: false }],
  ];
  for (const [member, text, trouble] of troubles) {
    const before = model.asked.length;
    model.meets(trouble);
    discord.post(member, text);
    await onDiscord(TEAM_CHANNEL, text);
    const [primary, second] = model.asked.slice(before);
    expect(second).toBe(FALLBACK);
    expect(primary).not.toBe(FALLBACK);
    const [answered, failed] = await endedCalls(running.system);
    const { requestId } = answered ?? {};
    expect(failed).toMatchObject({ requestId, attempt: 1, model: primary, channel: "discord" });
    expect(failed?.state).not.toBe("settled");
    expect(answered).toMatchObject({
      ...{ attempt: 2, provider: "anthropic", model: FALLBACK, route: "direct" },
      ...{ state: "settled", status: 200, channel: "discord" },
    });
  }
  // Well again, and for two at once.
  discord.post(carol, "who takes the notes?");
  discord.post(dave, "who takes the minutes?");
  await onDiscord(TEAM_CHANNEL, "who takes the notes?");
  await onDiscord(TEAM_CHANNEL, "who takes the minutes?");
  expect(model.asked.at(-1)).not.toBe(FALLBACK);
});
