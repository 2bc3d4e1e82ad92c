/**
 * Discord on loopback: its REST API (`discord-rest.ts`) as https://docs.discord.com/developers/reference
 * describes it (authentication, errors, rate limits, uploading files), its Gateway
 * (`discord-gateway.ts`), and the media that its messages point to. Media have Discord's own
 * addresses, which the emulator answers under their path.
 */
import { randomUUID } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { callOf, type RestCall } from "./discord-call.ts";
import { DiscordChats } from "./discord-chats.ts";
import { createDiscordGateway, type DiscordGateway } from "./discord-gateway.ts";
import { DiscordRest, type RestReply } from "./discord-rest.ts";
import {
  BOT,
  BOT_ID,
  BOT_TOKEN,
  GUILD_ID,
  guildOf,
  memberOf,
  readyOf,
  TEAM_CHANNEL,
  userOf,
  type Attachment,
  type Person,
} from "./discord-world.ts";

export interface DiscordEmulator {
  /** The REST API with its version. */
  url: string;
  token: string;
  gateway: DiscordGateway;
  calls: RestCall[];
  /** Answers every call with this status until it is undefined again. */
  broken: number | undefined;
  /** Which calls, by method and path; all unless it is set. */
  brokenFor: RegExp | undefined;
  /** What a 429 says of how long to wait, in seconds. */
  retryAfter: number;
  /** The direct chat with somebody. */
  chat(person: Person): string;
  /** A direct message; the answer is its id. */
  write(person: Person, text: string, files?: { name: string; content: Uint8Array }[]): string;
  /** A message in the server's channel. */
  post(person: Person, text: string, options?: { mention?: boolean; guild?: string }): string;
  /** Texts that the bot wrote in a chat, in their last edited form. */
  texts(chat: string): string[];
  /** Files that the bot sent to a chat. */
  sentFiles(chat: string): Uint8Array[];
  until<T>(what: string, found: () => T | undefined, deadlineMs?: number): Promise<T>;
  close(): Promise<void>;
}

export async function startDiscord(
  options: { heartbeatMs?: number } = {},
): Promise<DiscordEmulator> {
  const chats = new DiscordChats();
  let address = "";
  const socketAddress = () => address.replace("http:", "ws:");
  const gateway = createDiscordGateway(
    {
      token: BOT_TOKEN,
      heartbeatMs: options.heartbeatMs ?? 41_250,
      begin: () => ({ ready: readyOf([GUILD_ID]), guilds: [guildOf()] }),
    },
    socketAddress,
  );
  const rest = new DiscordRest(chats, () => ({
    url: socketAddress(),
    remaining: gateway.remaining,
  }));

  const emulator: DiscordEmulator = {
    url: "",
    token: BOT_TOKEN,
    gateway,
    calls: [],
    ...{ broken: undefined, brokenFor: undefined, retryAfter: 0.2 },
    chat: (person) => chats.direct(person),
    write(person, text, files = []) {
      const attachments = files.map(({ name, content }) => chats.attach(name, content));
      return dispatch(person, chats.direct(person), text, attachments, { channel_type: 1 });
    },
    post(person, text, { mention = true, guild = GUILD_ID } = {}) {
      chats.people.set(person.id, person);
      const content = mention ? `<@${BOT_ID}> ${text}` : text;
      const { user: _user, ...member } = memberOf(person);
      const mentions = mention ? [{ ...BOT, member: {} }] : [];
      return dispatch(person, TEAM_CHANNEL, content, [], {
        ...{ guild_id: guild, channel_type: 0, member, mentions },
      });
    },
    texts: (chat) => chats.texts(chat),
    sentFiles: (chat) => chats.sentFiles(chat),
    async until(what, found, deadlineMs = 30_000) {
      const end = Date.now() + deadlineMs;
      for (;;) {
        const value = found();
        if (value !== undefined) return value;
        if (Date.now() > end) {
          const calls = emulator.calls.slice(-20).map(({ method, path }) => `${method} ${path}`);
          const said = [...chats.messages.values()].slice(-4).map(({ content }) => content);
          throw new Error(`${what} never came; ${calls.join(", ")}; ${JSON.stringify(said)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async close() {
      gateway.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function dispatch(
    person: Person,
    chat: string,
    content: string,
    attachments: Attachment[],
    more: object,
  ): string {
    const author = userOf(person);
    const message = chats.put({ channel_id: chat, content, author, attachments }, more);
    gateway.dispatch("MESSAGE_CREATE", message);
    return message.id;
  }

  function answer(call: RestCall): RestReply {
    const { broken, brokenFor, retryAfter } = emulator;
    if (broken !== undefined && brokenFor?.test(`${call.method} ${call.path}`) !== false) {
      const body = { code: 0, message: "broken", retry_after: retryAfter, global: false };
      return { status: broken, body };
    }
    const { authorization, path } = call;
    const own = /^\/(interactions|webhooks)\//.test(path);
    return authorization === `Bot ${BOT_TOKEN}` || (own && authorization === undefined)
      ? rest.execute(call)
      : { status: 401, body: { code: 0, message: "401: Unauthorized" } };
  }

  const server = http.createServer(async (request, response) => {
    const file = chats.media.get(new URL(request.url ?? "/", "http://x").pathname);
    if (file !== undefined) {
      response.writeHead(request.headers.authorization === undefined ? 200 : 400, {
        "content-type": file.type,
      });
      return void response.end(file.content);
    }
    const call = await callOf(request);
    emulator.calls.push(call);
    const { status, body } = answer(call);
    response.writeHead(status, {
      "content-type": "application/json",
      "x-ratelimit-limit": "50",
      "x-ratelimit-remaining": "49",
      "x-ratelimit-reset-after": "1",
      "x-ratelimit-bucket": randomUUID(),
      ...(status === 429 ? { "retry-after": "1" } : {}),
    });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  server.on("upgrade", (request, socket, head) => gateway.upgrade(request, socket, head));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  emulator.url = `${address}/api/v10`;
  return emulator;
}
