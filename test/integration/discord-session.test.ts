/**
 * The session with Discord that the Durable Object holds, through everything its documentation says
 * can happen to it: nothing that was written is lost, nothing is stored twice.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import { startDiscord, type DiscordEmulator } from "../emulators/discord.ts";
import { BOT_ID, GUILD_ID } from "../emulators/discord-world.ts";
import { DISCORD_OWNER, startDiscordRig, type DiscordRig } from "../support/discord-rig.ts";

const alice = { id: "700000000000000001", username: "alice" };
/** A question for what was written in a chat. */
const HISTORY = /^GET \/channels\/\d+\/messages/;
const mallory = { id: "700000000000000009", username: "mallory" };
let discord: DiscordEmulator;
let rig: DiscordRig | undefined;

beforeEach(async () => {
  discord = await startDiscord({ heartbeatMs: 400 });
});
afterEach(async () => {
  await rig?.close();
  rig = undefined;
  await discord.close();
});

async function start(token = discord.token): Promise<DiscordRig> {
  rig = await startDiscordRig({
    ...{ token, botId: BOT_ID, policy: "pairing", apiUrl: discord.url },
    ...{ allowFrom: [alice.id], guilds: [GUILD_ID] },
  });
  return rig;
}

const deadline = { timeout: 45_000, interval: 100 };
const connection = async () => (await rig?.view())?.channels[0];
const connected = () =>
  expect.poll(async () => (await connection())?.connection, deadline).toBe("connected");
const previews = async () => (await rig?.view())?.letters.map(({ preview }) => preview);
const heard = (op: string) => discord.gateway.heard.filter((one) => one.op === op);
const asked = () => discord.calls.filter(({ method, path }) => HISTORY.test(`${method} ${path}`));
const stored = (texts: string[]) => expect.poll(previews, deadline).toEqual(texts);

test("a cut connection, a request to connect again and a lost heartbeat are resumed", async () => {
  await start();
  await connected();
  discord.write(alice, "one");
  await stored(["one"]);
  discord.gateway.cut();
  discord.write(alice, "two");
  await stored(["one", "two"]);
  discord.gateway.reconnect();
  discord.write(alice, "three");
  await stored(["one", "two", "three"]);
  const resumes = heard("resume").length;
  discord.gateway.silent = true;
  await expect.poll(() => heard("resume").length, deadline).toBeGreaterThan(resumes);
  discord.gateway.silent = false;
  discord.write(alice, "four");
  await stored(["one", "two", "three", "four"]);
  expect(heard("identify")).toHaveLength(1);
  expect(await rig?.view()).toMatchObject({ channels: [{ account: "emulated-bot" }] });
}, 120_000);

test("a Durable Object that begins anew resumes, and stores nothing twice", async () => {
  await start();
  await connected();
  discord.write(alice, "one");
  await stored(["one"]);
  await rig?.evict();
  discord.write(alice, "two");
  await stored(["one", "two"]);
  await connected();
  expect(heard("identify")).toHaveLength(1);
  expect(heard("resume").length).toBeGreaterThan(0);
}, 120_000);

test("a session that Discord ended begins anew, and what was missed is fetched", async () => {
  await start();
  await connected();
  discord.write(alice, "one");
  await stored(["one"]);
  discord.gateway.forget();
  discord.gateway.cut();
  discord.write(alice, "two, which no session ever saw");
  await stored(["one", "two, which no session ever saw"]);
  await connected();
  discord.gateway.invalidate(false);
  await expect.poll(() => heard("identify").length, deadline).toBe(3);
  await connected();
  discord.write(alice, "three");
  await stored(["one", "two, which no session ever saw", "three"]);
}, 120_000);

test("what could not be fetched is fetched later, also by a new Durable Object that resumes", async () => {
  await start();
  await connected();
  discord.write(alice, "one");
  await stored(["one"]);
  discord.gateway.forget();
  discord.gateway.cut();
  discord.write(alice, "two, which no session ever saw");
  discord.broken = 500;
  discord.brokenFor = HISTORY;
  await expect.poll(() => asked().length, deadline).toBe(1);
  await connected();
  // What comes meanwhile neither waits for it nor hides it.
  discord.write(alice, "three");
  await stored(["one", "three"]);
  await rig?.evict();
  discord.write(alice, "four");
  await stored(["one", "three", "four"]);
  await connected();
  expect(heard("identify")).toHaveLength(2);
  discord.broken = undefined;
  await rig?.later(60_000);
  await stored(["one", "three", "four", "two, which no session ever saw"]);
  const before = asked().length;
  await rig?.later(60_000);
  expect(asked()).toHaveLength(before);
}, 120_000);

test("a limit on the history is obeyed, and a chat that the bot may not read keeps nobody waiting", async () => {
  await start();
  await connected();
  discord.write(alice, "one");
  discord.post(alice, "to the team");
  await stored(["one", `<@${BOT_ID}> to the team`]);
  discord.gateway.forget();
  discord.gateway.cut();
  discord.post(alice, "missed");
  discord.broken = 429;
  discord.brokenFor = HISTORY;
  discord.retryAfter = 600;
  await expect.poll(() => asked().length, deadline).toBe(1);
  await connected();
  await rig?.later(60_000);
  expect(asked()).toHaveLength(1);
  discord.broken = 403;
  discord.brokenFor = new RegExp(`^GET /channels/${discord.chat(alice)}/messages`);
  await rig?.later(600_000);
  await stored(["one", `<@${BOT_ID}> to the team`, `<@${BOT_ID}> missed`]);
}, 120_000);

test("a chat in which more was written than is fetched is told of", async () => {
  await start();
  await connected();
  discord.post(alice, "one");
  await stored([`<@${BOT_ID}> one`]);
  discord.gateway.forget();
  discord.gateway.cut();
  for (let n = 0; n < 2_000; n += 1) discord.post(alice, "talk", { mention: false });
  discord.post(alice, "lost");
  await connected();
  await expect.poll(async () => (await rig?.view())?.alerts, deadline).toHaveLength(1);
  expect((await rig?.view())?.alerts[0]).toContain("more was written");
  expect((await connection())?.error?.message).toContain("more was written");
}, 120_000);

test("what is told to the owner comes in their direct chat, and waits for a limit to pass", async () => {
  const owner = { id: DISCORD_OWNER, username: "owner" };
  const chat = discord.chat(owner);
  await start();
  await connected();
  await rig?.tell("80 % of the cap");
  expect(discord.texts(chat)).toEqual(["80 % of the cap"]);
  discord.broken = 429;
  discord.brokenFor = /^POST .*messages$/;
  const told = rig?.tell("100 % of the cap");
  await expect
    .poll(() => discord.calls.filter(({ path }) => path.endsWith("/messages")).length)
    .toBe(2);
  discord.broken = undefined;
  await told;
  expect(discord.texts(chat)).toEqual(["80 % of the cap", "100 % of the cap"]);
}, 120_000);

test.each([
  [4014, "Message Content Intent"],
  [4004, "does not know this token"],
])(
  "a close with %i is shown, and tried again after a quarter of an hour",
  async (code, said) => {
    await start();
    await connected();
    discord.gateway.closeWith(code);
    await expect.poll(async () => (await connection())?.error?.message, deadline).toContain(said);
    const tries = discord.calls.length + discord.gateway.heard.length;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(discord.gateway.connections).toBe(0);
    expect(discord.calls.length + discord.gateway.heard.length).toBe(tries);
    await rig?.later(14 * 60_000);
    expect(discord.calls.length + discord.gateway.heard.length).toBe(tries);
    await rig?.later(60_000);
    await connected();
    expect((await connection())?.error).toBeUndefined();
  },
  120_000,
);

test("a wrong token, no sessions left and a Discord that is down are told apart", async () => {
  discord.gateway.remaining = 0;
  await start();
  const message = () => expect.poll(async () => (await connection())?.error?.message, deadline);
  await message().toContain("no more sessions");
  await rig?.close();
  discord.gateway.remaining = 10;
  discord.broken = 500;
  await start();
  await message().toContain("500");
  discord.broken = undefined;
  await connected();
  await rig?.close();
  await start(`${discord.token.slice(0, -3)}xyz`);
  await message().toContain("does not know this token");
}, 120_000);

test("who was let in wakes the agent, other talk and strangers do not", async () => {
  await start();
  await connected();
  discord.post(alice, "just talk", { mention: false });
  discord.post(mallory, "from elsewhere", { guild: "500000000000000009" });
  discord.write(mallory, "let me in");
  await stored(["let me in"]);
  expect((await rig?.view())?.wakes).toBe(1);
  discord.write(mallory, "please");
  await stored(["let me in", "please"]);
  await rig?.drop();
  for (let n = 0; n < 5; n += 1) discord.write(mallory, "please");
  discord.post(mallory, "from the team");
  await stored([`<@${BOT_ID}> from the team`]);
  const reply = await discord.until("the reply to the stranger", () =>
    discord.texts(discord.chat(mallory)).find((text) => text.includes("does not know you")),
  );
  expect(reply).toContain("私人助理");
  expect(discord.texts(discord.chat(mallory))).toHaveLength(1);
}, 120_000);
