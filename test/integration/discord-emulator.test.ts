/** The emulator against the client library that most bots use, so that what passes here passes at Discord. */
import { Client, Events, GatewayIntentBits, Partials, REST, Routes } from "discord.js";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startDiscord, type DiscordEmulator } from "../emulators/discord.ts";

const alice = { id: "700000000000000001", username: "alice" };
let discord: DiscordEmulator;
const clients: Client[] = [];

beforeAll(async () => {
  discord = await startDiscord({ heartbeatMs: 500 });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.destroy();
});
afterAll(() => discord?.close());

async function connected(): Promise<Client<true>> {
  const { Guilds, GuildMessages, DirectMessages, MessageContent } = GatewayIntentBits;
  const client = new Client({
    intents: [Guilds, GuildMessages, DirectMessages, MessageContent],
    partials: [Partials.Channel],
    rest: { api: discord.url.replace("/v10", "") },
  });
  clients.push(client);
  const ready = new Promise<Client<true>>((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(discord.token);
  return ready;
}

test("discord.js logs in, answers a message with a file, edits, and comes back after a cut", async () => {
  const client = await connected();
  expect(client.guilds.cache.map(({ name }) => name)).toEqual(["Team"]);
  client.on(Events.MessageCreate, async (message) => {
    const photo = message.attachments.first();
    const answer = await message.reply({
      content: `you said ${message.content}`,
      files: photo === undefined ? [] : [{ attachment: Buffer.from([1, 2, 3]), name: "back.png" }],
    });
    await answer.edit(`${answer.content}!`);
  });
  discord.write(alice, "hello", [{ name: "cat.png", content: Uint8Array.from([9, 9]) }]);
  const chat = discord.chat(alice);
  await discord.until("the edit", () =>
    discord.texts(chat).find((text) => text === "you said hello!"),
  );
  expect(discord.sentFiles(chat)).toEqual([Uint8Array.from([1, 2, 3])]);

  await discord.until("heartbeats", () =>
    discord.gateway.heard.find(({ op }) => op === "heartbeat"),
  );
  discord.gateway.cut();
  discord.write(alice, "while you were away");
  await discord.until("the resumed session", () =>
    discord.texts(chat).find((text) => text === "you said while you were away!"),
  );
  expect(discord.gateway.heard.filter(({ op }) => op !== "heartbeat").map(({ op }) => op)).toEqual([
    "identify",
    "resume",
  ]);
  discord.gateway.reconnect();
  discord.post(alice, "in the team");
  await discord.until("the answer", () =>
    discord.texts("500000000000000002").find((text) => text.includes("in the team")),
  );
}, 60_000);

test("a wrong token and a privileged intent that is off are refused", async () => {
  const stranger = new REST({ api: discord.url.replace("/v10", "") }).setToken("wrong");
  await expect(stranger.get(Routes.user())).rejects.toThrow(/401/);
  discord.gateway.contentAllowed = false;
  try {
    await expect(connected()).rejects.toThrow(/disallowed intents/i);
  } finally {
    discord.gateway.contentAllowed = true;
  }
});
