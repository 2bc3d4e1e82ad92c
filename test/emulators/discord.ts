/**
 * Discord on loopback: its REST API as https://docs.discord.com/developers/reference describes it
 * (authentication, errors, rate limits, uploading files), its Gateway (`discord-gateway.ts`), and the
 * media that its messages point to. Media have Discord's own addresses, which the emulator answers
 * under their path.
 */
import { randomUUID } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { createDiscordGateway, type DiscordGateway } from "./discord-gateway.ts";
import {
  BOT,
  BOT_ID,
  BOT_TOKEN,
  channelOf,
  GUILD_ID,
  guildOf,
  memberOf,
  messageOf,
  readyOf,
  TEAM_CHANNEL,
  userOf,
  type Attachment,
  type Message,
  type Person,
} from "./discord-world.ts";

/** A call of the bot's REST API. */
export interface RestCall {
  at: number;
  method: string;
  /** Below `/api/v10`. */
  path: string;
  authorization: string | undefined;
  body: unknown;
  files: Uint8Array[];
}

export interface DiscordEmulator {
  /** The REST API with its version. */
  url: string;
  token: string;
  gateway: DiscordGateway;
  calls: RestCall[];
  /** Answers every call with this status until it is undefined again. */
  broken: number | undefined;
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

type Reply = { status: number; body?: unknown };

const outgoing = z.looseObject({ content: z.string().max(2_000).nullish() });

export async function startDiscord(
  options: { heartbeatMs?: number } = {},
): Promise<DiscordEmulator> {
  const chats = new Map<string, Person>();
  const people = new Map<string, Person>();
  const messages = new Map<string, Message>();
  const media = new Map<string, { content: Uint8Array; type: string }>();
  const received = new Map<string, Uint8Array[]>();
  let commands: unknown[] = [];
  let nextId = 900_000_000_000_000_000n;
  const newId = () => String((nextId += 1n));
  let address = "";

  const gateway = createDiscordGateway(
    {
      token: BOT_TOKEN,
      heartbeatMs: options.heartbeatMs ?? 41_250,
      begin: () => ({ ready: readyOf([GUILD_ID]), guilds: [guildOf()] }),
    },
    () => address.replace("http:", "ws:"),
  );

  const emulator: DiscordEmulator = {
    url: "",
    token: BOT_TOKEN,
    gateway,
    calls: [],
    broken: undefined,
    chat(person) {
      people.set(person.id, person);
      const known = [...chats].find(([, one]) => one.id === person.id)?.[0];
      const id = known ?? newId();
      chats.set(id, person);
      return id;
    },
    write(person, text, files = []) {
      const attachments = files.map(({ name, content }) => attach(name, content));
      return dispatch(person, emulator.chat(person), text, attachments, { channel_type: 1 });
    },
    post(person, text, { mention = true, guild = GUILD_ID } = {}) {
      people.set(person.id, person);
      const content = mention ? `<@${BOT_ID}> ${text}` : text;
      const { user: _user, ...member } = memberOf(person);
      const mentions = mention ? [{ ...BOT, member: {} }] : [];
      return dispatch(person, TEAM_CHANNEL, content, [], {
        ...{ guild_id: guild, channel_type: 0, member, mentions },
      });
    },
    texts: (chat) =>
      [...messages.values()]
        .filter(({ channel_id: at, author }) => at === chat && author === BOT)
        .map(({ content }) => content),
    sentFiles: (chat) => received.get(chat) ?? [],
    async until(what, found, deadlineMs = 30_000) {
      const end = Date.now() + deadlineMs;
      for (;;) {
        const value = found();
        if (value !== undefined) return value;
        if (Date.now() > end) {
          const calls = emulator.calls.slice(-20).map(({ method, path }) => `${method} ${path}`);
          const said = [...messages.values()].slice(-4).map(({ content }) => content);
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

  function attach(filename: string, content: Uint8Array): Attachment {
    const id = newId();
    const type = filename.endsWith(".png") ? "image/png" : "application/octet-stream";
    const path = `/attachments/1/${id}/${filename}`;
    media.set(path, { content, type });
    const url = `https://cdn.discordapp.com${path}`;
    const proxied = `https://media.discordapp.net${path}`;
    return { id, filename, size: content.length, url, proxy_url: proxied, content_type: type };
  }

  function dispatch(
    person: Person,
    chat: string,
    content: string,
    attachments: Attachment[],
    more: object,
  ): string {
    const id = newId();
    const author = userOf(person);
    const message = {
      ...messageOf({ id, channel_id: chat, content, author, attachments }),
      ...more,
    };
    messages.set(id, message);
    gateway.dispatch("MESSAGE_CREATE", message);
    return id;
  }

  function send(chat: string, { body, files }: RestCall): Reply {
    const fields = outgoing.safeParse(body).data;
    if (
      fields === undefined ||
      (!fields.content && files.length === 0 && !("embeds" in fields) && !("components" in fields))
    ) {
      return { status: 400, body: { code: 50006, message: "Cannot send an empty message" } };
    }
    received.set(chat, [...(received.get(chat) ?? []), ...files]);
    const attachments = files.map((content, at) => attach(`file-${at}.png`, content));
    const fresh = {
      id: newId(),
      channel_id: chat,
      content: fields.content ?? "",
      author: BOT,
      attachments,
    };
    const message = messageOf(fresh);
    messages.set(message.id, message);
    return { status: 200, body: message };
  }

  function channel(id: string): Record<string, unknown> | undefined {
    if (id === TEAM_CHANNEL) return channelOf(id);
    const person = chats.get(id);
    return person === undefined ? undefined : channelOf(id, person);
  }

  function execute(call: RestCall): Reply {
    const { pathname, searchParams } = new URL(call.path, "http://x");
    const [resource, id = "", part, item, rest] = pathname.slice(1).split("/");
    const route = `${call.method} ${resource}`;
    if (route === "GET gateway") {
      const limit = {
        total: 1_000,
        remaining: gateway.remaining,
        reset_after: 3_600_000,
        max_concurrency: 1,
      };
      const url = address.replace("http:", "ws:");
      return { status: 200, body: { url, shards: 1, session_start_limit: limit } };
    }
    if (resource === "users" && id === "@me" && part === "channels") {
      const to =
        z.object({ recipient_id: z.string() }).safeParse(call.body).data?.recipient_id ?? "";
      const person = people.get(to);
      return person === undefined
        ? unknownOf(10013, "User")
        : { status: 200, body: channelOf(emulator.chat(person), person) };
    }
    if (route === "GET users") {
      const person = people.get(id);
      if (id === "@me" || id === BOT_ID) return { status: 200, body: BOT };
      return person === undefined
        ? unknownOf(10013, "User")
        : { status: 200, body: userOf(person) };
    }
    if (resource === "oauth2" || (resource === "applications" && id === "@me")) {
      return { status: 200, body: { id: BOT_ID, name: "emulated", flags: 1 << 19 } };
    }
    if (resource === "applications" && part === "commands") {
      if (call.method === "PUT" && Array.isArray(call.body))
        commands = call.body.map((one) => ({
          ...one,
          id: newId(),
          application_id: BOT_ID,
          version: "1",
        }));
      if (call.method === "POST")
        return {
          status: 201,
          body: {
            ...z.looseObject({}).parse(call.body),
            id: newId(),
            application_id: BOT_ID,
            version: "1",
          },
        };
      return call.method === "DELETE" ? { status: 204 } : { status: 200, body: commands };
    }
    if (resource === "interactions") return { status: 204 };
    if (resource === "webhooks")
      return {
        status: 200,
        body: messageOf({
          id: newId(),
          channel_id: TEAM_CHANNEL,
          content: "",
          author: BOT,
          attachments: [],
        }),
      };
    if (resource === "guilds" && id === GUILD_ID) {
      const guild = guildOf();
      if (part === undefined) return { status: 200, body: guild };
      if (part === "roles" || part === "channels") return { status: 200, body: guild[part] };
      if (part === "members" && item !== undefined) {
        const person = people.get(item);
        const body =
          item === BOT_ID
            ? memberOf({ id: BOT_ID, username: "emulated-bot" }, true)
            : person && memberOf(person);
        return body === undefined ? unknownOf(10007, "Member") : { status: 200, body };
      }
    }
    const found = resource === "channels" ? channel(id) : undefined;
    if (found === undefined) return unknownOf(10003, "Channel");
    if (part === undefined) return { status: 200, body: found };
    if (part === "typing") return { status: 204 };
    if (part === "messages" && item === undefined) {
      if (call.method === "POST") return send(id, call);
      const after = BigInt(searchParams.get("after") ?? "0");
      const limit = Number(searchParams.get("limit") ?? "50");
      const all = [...messages.values()].filter(
        (one) => one.channel_id === id && BigInt(one.id) > after,
      );
      return {
        status: 200,
        body: (after === 0n ? all.slice(-limit) : all.slice(0, limit)).toReversed(),
      };
    }
    if (part === "messages" && item !== undefined) {
      if (rest === "reactions") return { status: 204 };
      const message = messages.get(item);
      if (message === undefined) return unknownOf(10008, "Message");
      if (call.method === "DELETE") {
        messages.delete(item);
        return { status: 204 };
      }
      if (call.method === "PATCH")
        message.content = outgoing.parse(call.body).content ?? message.content;
      return { status: 200, body: message };
    }
    return { status: 404, body: { code: 0, message: "404: Not Found" } };
  }

  const server = http.createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://x");
    const file = media.get(pathname);
    if (file !== undefined) {
      response.writeHead(request.headers.authorization === undefined ? 200 : 400, {
        "content-type": file.type,
      });
      return void response.end(file.content);
    }
    const { authorization } = request.headers;
    const { body, files } = await bodyOf(request);
    const path = `${pathname.replace(/^\/api\/v10/, "")}${search}`;
    const call: RestCall = {
      at: Date.now(),
      method: request.method ?? "",
      path,
      authorization,
      body,
      files,
    };
    emulator.calls.push(call);
    const own = /^\/(interactions|webhooks)\//.test(path);
    const reply: Reply =
      emulator.broken !== undefined
        ? {
            status: emulator.broken,
            body: { code: 0, message: "broken", retry_after: 0.2, global: false },
          }
        : authorization === `Bot ${BOT_TOKEN}` || (own && authorization === undefined)
          ? execute(call)
          : { status: 401, body: { code: 0, message: "401: Unauthorized" } };
    const headers = {
      "content-type": "application/json",
      ...{
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "49",
        "x-ratelimit-reset-after": "1",
      },
      ...{
        "x-ratelimit-bucket": randomUUID(),
        ...(reply.status === 429 ? { "retry-after": "1" } : {}),
      },
    };
    response.writeHead(reply.status, headers);
    response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
  });
  server.on("upgrade", (request, socket, head) => gateway.upgrade(request, socket, head));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  emulator.url = `${address}/api/v10`;
  return emulator;
}

function unknownOf(code: number, what: string): Reply {
  return { status: 404, body: { code, message: `Unknown ${what}` } };
}

/** JSON, or a form whose `payload_json` is that and whose `files[n]` are files. */
async function bodyOf(request: http.IncomingMessage): Promise<Pick<RestCall, "body" | "files">> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const content = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) {
    return {
      body: content.length === 0 ? undefined : parseJson(content.toString("utf8")),
      files: [],
    };
  }
  const form = await new Response(content, { headers: { "content-type": type } }).formData();
  const payload = form.get("payload_json");
  const files: Uint8Array[] = [];
  for (const [, value] of form) if (typeof value !== "string") files.push(await value.bytes());
  return { body: typeof payload === "string" ? parseJson(payload) : {}, files };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
