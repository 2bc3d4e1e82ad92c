/** The Gateway that the plugin inside talks to, and its calls: with discord.js, and byte by byte. */
import { Client, Events, GatewayIntentBits, Partials } from "discord.js";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { startDiscord, type DiscordEmulator } from "../emulators/discord.ts";
import { BOT_ID, GUILD_ID, TEAM_CHANNEL } from "../emulators/discord-world.ts";
import { placeholderToken } from "../../src/worker/channels/discord/settings.ts";
import type { DiscordSettings } from "../../src/worker/channels/discord/settings.ts";
import { startDiscordRig, type DiscordRig } from "../support/discord-rig.ts";

const alice = { id: "700000000000000001", username: "alice" };
const frame = z.object({
  op: z.number(),
  t: z.string().nullish(),
  s: z.number().nullish(),
  d: z.unknown().optional(),
});
type Frame = z.infer<typeof frame>;
let discord: DiscordEmulator;
let rig: DiscordRig;
let placeholder = "";
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  discord = await startDiscord();
  const settings: DiscordSettings = {
    ...{ token: discord.token, botId: BOT_ID, apiUrl: discord.url },
    ...{ policy: "pairing", allowFrom: [alice.id], guilds: [GUILD_ID] },
  };
  placeholder = placeholderToken(settings);
  rig = await startDiscordRig(settings);
  await discord.until("the session", () =>
    discord.gateway.heard.find(({ op }) => op === "identify"),
  );
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await rig.close();
  await discord.close();
});

const letters = async () => (await rig.view()).letters;
const state = async () => (await letters()).map((letter) => letter.state);

/** A client that answers nothing by itself. */
async function client(query = "?v=10&encoding=json") {
  const socket = new WebSocket(`${rig.sandbox.replace("http:", "ws:")}${query}`);
  ends.push(() => socket.terminate());
  const frames: Frame[] = [];
  let closed: number | undefined;
  socket.on("message", (data) => {
    frames.push(frame.parse(JSON.parse(Buffer.isBuffer(data) ? data.toString() : "")));
  });
  socket.on("close", (code) => {
    closed = code;
  });
  await once(socket, "open");
  return {
    ...{ frames, socket },
    send: (op: number, d: unknown) => socket.send(JSON.stringify({ op, d })),
    has: (found: (one: Frame) => boolean) => expect.poll(() => frames.some(found)).toBe(true),
    closed: () => closed,
    last: () => frames.findLast(({ s }) => s !== undefined && s !== null)?.s ?? 0,
  };
}

const isReady = ({ t }: Frame) => t === "READY";
const writes = (text: string) => (one: Frame) =>
  one.t === "MESSAGE_CREATE" && JSON.stringify(one.d).includes(text);

test("discord.js works with it: it is ready, hears what waited and what comes, and answers", async () => {
  discord.write(alice, "before anybody was there");
  await expect.poll(state).toEqual(["waiting"]);
  const api = await frontOf(rig.sandbox);
  const { Guilds, GuildMessages, DirectMessages, MessageContent } = GatewayIntentBits;
  const bot = new Client({
    intents: [Guilds, GuildMessages, DirectMessages, MessageContent],
    partials: [Partials.Channel],
    rest: { api },
  });
  ends.unshift(() => bot.destroy());
  const seen: string[] = [];
  bot.on(Events.MessageCreate, async (message) => {
    seen.push(message.content);
    if (message.author.id !== BOT_ID) await message.reply(`heard ${message.content}`);
  });
  const ready = new Promise((resolve) => bot.once(Events.ClientReady, resolve));
  await rig.awake(true);
  await bot.login(placeholder);
  await ready;
  expect(bot.guilds.cache.map(({ name }) => name)).toEqual(["Team"]);
  discord.write(alice, "and now");
  discord.post(alice, "in the team");
  const chat = discord.chat(alice);
  await discord.until("the first answer", () =>
    discord.texts(chat).find((text) => text === "heard before anybody was there"),
  );
  await discord.until("the last answer", () =>
    discord.texts(TEAM_CHANNEL).find((text) => text.includes("in the team")),
  );
  expect(seen).toEqual(["before anybody was there", "and now", `<@${BOT_ID}> in the team`]);
  await expect.poll(state).toEqual(["given", "given", "given"]);
  await rig.keep();
  expect(await letters()).toEqual([]);
  expect(discord.calls.every(({ authorization }) => authorization === `Bot ${discord.token}`)).toBe(
    true,
  );
}, 90_000);

test("a message counts as accepted only after two answers, and comes again to the next client", async () => {
  await rig.awake(true);
  const first = await client();
  first.send(2, { token: placeholder, intents: 1, properties: {} });
  await first.has(isReady);
  discord.write(alice, "will you answer?");
  await first.has(writes("will you answer?"));
  first.send(1, first.last());
  await first.has(({ op }) => op === 11);
  expect(await state()).toEqual(["waiting"]);
  first.socket.terminate();
  const second = await client();
  second.send(2, { token: placeholder, intents: 1, properties: {} });
  await second.has(writes("will you answer?"));
  second.send(1, second.last());
  second.send(1, second.last());
  await expect.poll(state).toEqual(["given"]);
}, 90_000);

test("a client that comes back resumes where it was; one that is not known begins anew", async () => {
  const first = await client();
  first.send(2, { token: placeholder, intents: 1, properties: {} });
  await first.has(({ t }) => t === "GUILD_CREATE");
  const ready = z
    .looseObject({ session_id: z.string(), resume_gateway_url: z.string() })
    .parse(first.frames.find(isReady)?.d);
  expect(ready.resume_gateway_url).toBe("wss://gateway.discord.gg");
  const seq = first.last();
  first.socket.terminate();
  discord.post(alice, "talk", { mention: false });
  const second = await client();
  second.send(6, { token: placeholder, session_id: ready.session_id, seq });
  await second.has(({ t }) => t === "RESUMED");
  await second.has(writes("talk"));
  expect(second.frames.flatMap(({ s }) => s ?? [])).toEqual([seq + 1, seq + 2]);
  const third = await client();
  third.send(6, { token: placeholder, session_id: "unknown", seq });
  await third.has(({ op, d }) => op === 9 && d === false);
}, 60_000);

test.each([
  ["nonsense", "{", 4002],
  ["a frame of five kilobytes", JSON.stringify({ op: 1, d: "x".repeat(5_000) }), 4002],
  ["an operation nobody knows", JSON.stringify({ op: 77 }), 4001],
  ["a request before identifying", JSON.stringify({ op: 8, d: {} }), 4003],
  ["another token", JSON.stringify({ op: 2, d: { token: "Bot x", intents: 1 } }), 4004],
  [
    "a second shard",
    JSON.stringify({ op: 2, d: { token: "PLACEHOLDER", intents: 1, shard: [0, 2] } }),
    4010,
  ],
])("%s ends the connection with the documented code", async (_name, text, code) => {
  const one = await client();
  one.socket.send(text.replace("PLACEHOLDER", placeholder));
  await expect.poll(one.closed).toBe(code);
});

test("compression, another encoding and another version get no socket", async () => {
  for (const query of ["?v=10&encoding=json&compress=zlib-stream", "?v=10&encoding=etf", "?v=9"]) {
    await expect(client(query)).rejects.toThrow(/403/);
  }
});

test("the real token goes to Discord's API in its one place and nowhere else", async () => {
  const call = (path: string, init: RequestInit & { host?: string } = {}) =>
    fetch(`${rig.sandbox}${path}`, {
      ...init,
      headers: { "x-host": init.host ?? "discord.com", ...init.headers },
    });
  const bot = { authorization: `Bot ${placeholder}` };
  expect((await call("/api/v10/users/@me", { headers: bot })).status).toBe(200);
  expect((await call(`/api/v10/users/@me?x=${placeholder}`, { headers: bot })).status).toBe(200);
  expect(discord.calls.at(-1)?.path).toContain(placeholder);
  for (const authorization of [`Bot ${placeholder}x`, placeholder, `Bearer ${placeholder}`]) {
    expect((await call("/api/v10/users/@me", { headers: { authorization } })).status).toBe(401);
  }
  const before = discord.calls.length;
  for (const [method, path] of [
    ["POST", `/api/v10/channels/${TEAM_CHANNEL}/webhooks`],
    ["GET", `/api/v10/channels/${TEAM_CHANNEL}/%77ebhooks`],
    ["GET", `/api/v10/guilds/${GUILD_ID}/webhooks`],
    ["GET", "/api/v10/webhooks/1"],
    ["POST", "/api/v10/webhooks/1/token"],
    ["POST", "/api/v10/oauth2/token"],
    ["PATCH", "/api/v10/users/@me"],
    ["DELETE", `/api/v10/users/@me/guilds/${GUILD_ID}`],
    ["PATCH", "/api/v10/applications/@me"],
    ["POST", "/api/v10/auth/login"],
    ["GET", `/api/v10/channels/1%2f..%2fwebhooks`],
    ["GET", "/login"],
  ] as const) {
    const { status } = await call(path, { method, headers: bot });
    expect([path, status < 500 && status >= 400]).toEqual([path, true]);
  }
  expect(discord.calls).toHaveLength(before);
  const gateway = await (await call("/api/v10/gateway/bot", { headers: bot })).json();
  expect(gateway).toMatchObject({ url: "wss://gateway.discord.gg" });
  const callback = await call("/api/v10/interactions/1/a-token/callback", {
    method: "POST",
    body: "{}",
  });
  expect(callback.status).toBe(204);
  discord.write(alice, "photo", [{ name: "cat.png", content: Uint8Array.from([7, 7]) }]);
  const [letter] = await expect.poll(letters).toHaveLength(1).then(letters);
  expect(letter?.preview).toBe("photo");
}, 60_000);

/** discord.js asks the API where the Gateway is; its answer names a host that only the sandbox reaches. */
async function frontOf(sandbox: string): Promise<string> {
  const server = http.createServer(async (request, response) => {
    if (request.url?.endsWith("/gateway/bot") === true) {
      const answer = await fetch(`${sandbox}${request.url}`);
      const told = z.looseObject({}).parse(await answer.json());
      const body = JSON.stringify({ ...told, url: sandbox.replace("http:", "ws:") });
      return void response.writeHead(200, { "content-type": "application/json" }).end(body);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { authorization = "", "content-type": type = "" } = request.headers;
    const answer = await fetch(`${sandbox}${request.url}`, {
      method: request.method ?? "GET",
      headers: { authorization, "content-type": type },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
}
