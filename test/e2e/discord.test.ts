/** Discord with the real agent: direct messages, a server, sleep, and a model that fails. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { channelsReply, type ChannelsView } from "../../src/protocol/admin-channels.ts";
import { startDiscord, type DiscordEmulator } from "../emulators/discord.ts";
import { GUILD_ID, TEAM_CHANNEL } from "../emulators/discord-world.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";

const alice = { id: "700000000000000001", username: "alice" };
const bob = { id: "700000000000000002", username: "bob" };
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
let stateDir: string;
let discord: DiscordEmulator;
let system: RunningSystem;

beforeAll(async () => {
  stateDir = await makeStateDir();
  discord = await startDiscord();
  system = await startSystem({
    stateDir,
    env: {
      DISCORD_BOT_TOKEN: discord.token,
      DISCORD_API_URL: discord.url,
      DISCORD_GUILDS: GUILD_ID,
    },
  });
  await system.reach("ready");
});

afterAll(async () => {
  await system?.stop();
  await discord?.close();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

const channels = async (): Promise<ChannelsView> =>
  channelsReply.parse(await system.admin("/api/channels"));

const said = (chat: string, part: string) => () =>
  discord.texts(chat).find((text) => text.includes(part));

test("a first message asks for pairing, an approval opens the conversation, a question is answered", async () => {
  discord.write(alice, "hello?");
  const chat = discord.chat(alice);
  await discord.until("the pairing code", said(chat, "Pairing code"), 60_000);
  const { pairing } = await channels();
  const request = pairing.known
    ? pairing.requests.find(({ senderId }) => senderId === alice.id)
    : undefined;
  if (request === undefined) throw new Error(`no request: ${JSON.stringify(pairing)}`);
  const { channel, requestId } = request;
  await system.admin("/api/channels/approve", { body: { channel, requestId } });
  discord.write(alice, "the word is quince");
  await discord.until("the answer", said(chat, "You said: the word is quince"), 90_000);
  const after = await channels();
  expect(after.senders).toMatchObject([{ channel: "discord", id: alice.id, barred: false }]);
  expect(after.channels).toMatchObject([
    { id: "discord", connection: "connected", way: "socket", account: "emulated-bot", dead: 0 },
  ]);
  await expect.poll(async () => (await channels()).letters, { timeout: 60_000 }).toEqual([]);
});

test("a mention in a listed server is answered there, other talk is not", async () => {
  discord.post(bob, "nobody asked you", { mention: false });
  discord.post(bob, "the team's word is medlar");
  await discord.until("the answer", said(TEAM_CHANNEL, "the team's word is medlar"), 90_000);
  expect(discord.texts(TEAM_CHANNEL).join("\n")).not.toContain("You said: nobody asked you");
});

test("a photo arrives at the model, and one that the agent made comes back", async () => {
  const chat = discord.chat(alice);
  discord.write(alice, "look at this", [{ name: "cat.png", content: PNG }]);
  const answer = await discord.until("the answer", said(chat, "media attached"), 90_000);
  expect(answer).toContain("image/png");
  const file = "~/.openclaw/workspace/cat.png";
  discord.write(
    alice,
    `tool: exec {"command": "mkdir -p ~/.openclaw/workspace && echo ${PNG.toString("base64")} | base64 -d > ${file}"}`,
  );
  await discord.until("the tool", said(chat, "The tool answered"), 90_000);
  discord.write(alice, "here it is\nMEDIA:/home/agent/.openclaw/workspace/cat.png");
  const sent = await discord.until("the photo", () => discord.sentFiles(chat)[0], 90_000);
  expect(Buffer.from(sent).equals(PNG)).toBe(true);
});

test("a message wakes an agent that sleeps: typing at once, then the answer", async () => {
  await system.admin("/api/agent/stop", { body: {} });
  await system.reach("stopped");
  const chat = discord.chat(alice);
  const before = discord.calls.length;
  const sentAt = Date.now();
  discord.write(alice, "are you awake?");
  const sign = await discord.until("a sign of life", () =>
    discord.calls.slice(before).find(({ path }) => path.endsWith("/typing")),
  );
  await discord.until("the answer", said(chat, "You said: are you awake?"), 120_000);
  process.stdout.write(
    `asleep: sign of life ${sign.at - sentAt} ms, answer ${Date.now() - sentAt} ms\n`,
  );
  discord.write(alice, "history");
  const history = await discord.until("the history", said(chat, "Before this you said"), 90_000);
  expect(history).toContain("the word is quince");
  expect(discord.gateway.heard.filter(({ op }) => op === "identify")).toHaveLength(1);
});

test("no part of the token is in the sandbox", async () => {
  const chat = discord.chat(alice);
  discord.write(
    alice,
    `tool: exec {"command": "env | grep -cE emulated-discord-bo[t]; grep -rlaE emulated-discord-bo[t] ~ /run /tmp 2>/dev/null; echo search'e'd"}`,
  );
  const answer = await discord.until("the output", said(chat, "searched"), 90_000);
  expect(answer).not.toContain("openclaw");
  expect(discord.texts(chat).join("\n")).not.toContain(discord.token);
});
