/** Discord's REST API, as far as the bot's library and the Worker use it. */
import { z } from "zod";
import type { RestCall } from "./discord-call.ts";
import type { DiscordChats } from "./discord-chats.ts";
import {
  BOT,
  BOT_ID,
  channelOf,
  GUILD_ID,
  guildOf,
  memberOf,
  messageOf,
  TEAM_CHANNEL,
  userOf,
} from "./discord-world.ts";

export interface RestReply {
  status: number;
  body?: unknown;
}

const outgoing = z.looseObject({ content: z.string().max(2_000).nullish() });

export class DiscordRest {
  readonly #chats: DiscordChats;
  readonly #gateway: () => { url: string; remaining: number };
  #commands: unknown[] = [];

  /** @param gateway its address, and how many of today's sessions are left */
  constructor(chats: DiscordChats, gateway: () => { url: string; remaining: number }) {
    this.#chats = chats;
    this.#gateway = gateway;
  }

  execute(call: RestCall): RestReply {
    const { pathname, searchParams } = new URL(call.path, "http://x");
    const [resource, id = "", part, item, rest] = pathname.slice(1).split("/");
    switch (resource) {
      case "gateway":
        return call.method === "GET" ? this.#gatewayBot() : unknownOf(10003, "Channel");
      case "users":
        return this.#user(call, id, part);
      case "oauth2":
        return application();
      case "applications":
        if (id === "@me") return application();
        return part === "commands" ? this.#command(call) : unknownOf(10003, "Channel");
      case "interactions":
        return { status: 204 };
      case "webhooks":
        return { status: 200, body: this.#followUp() };
      case "guilds":
        return this.#guild(id, part, item);
      case "channels":
        break;
      default:
        return unknownOf(10003, "Channel");
    }
    const found = this.#chats.channel(id);
    if (found === undefined) return unknownOf(10003, "Channel");
    if (part === undefined) return { status: 200, body: found };
    if (part === "typing") return { status: 204 };
    if (part !== "messages") return { status: 404, body: { code: 0, message: "404: Not Found" } };
    if (item !== undefined) return this.#message(call, item, rest);
    if (call.method === "POST") return this.#send(id, call);
    const after = BigInt(searchParams.get("after") ?? "0");
    const limit = Number(searchParams.get("limit") ?? "50");
    return { status: 200, body: this.#chats.history(id, after, limit).toReversed() };
  }

  #gatewayBot(): RestReply {
    const { url, remaining } = this.#gateway();
    const limit = { total: 1_000, remaining, reset_after: 3_600_000, max_concurrency: 1 };
    return { status: 200, body: { url, shards: 1, session_start_limit: limit } };
  }

  #user(call: RestCall, id: string, part: string | undefined): RestReply {
    const { people } = this.#chats;
    if (id === "@me" && part === "channels") {
      const asked = z.object({ recipient_id: z.string() }).safeParse(call.body).data;
      const person = people.get(asked?.recipient_id ?? "");
      return person === undefined
        ? unknownOf(10013, "User")
        : { status: 200, body: channelOf(this.#chats.direct(person), person) };
    }
    if (call.method !== "GET") return unknownOf(10003, "Channel");
    if (id === "@me" || id === BOT_ID) return { status: 200, body: BOT };
    const person = people.get(id);
    return person === undefined ? unknownOf(10013, "User") : { status: 200, body: userOf(person) };
  }

  #command({ method, body }: RestCall): RestReply {
    const stored = (command: object) => ({
      ...command,
      ...{ id: this.#chats.newId(), application_id: BOT_ID, version: "1" },
    });
    if (method === "POST") return { status: 201, body: stored(z.looseObject({}).parse(body)) };
    if (method === "DELETE") return { status: 204 };
    if (method === "PUT" && Array.isArray(body)) this.#commands = body.map(stored);
    return { status: 200, body: this.#commands };
  }

  #followUp(): object {
    const id = this.#chats.newId();
    return messageOf({ id, channel_id: TEAM_CHANNEL, content: "", author: BOT, attachments: [] });
  }

  #guild(id: string, part: string | undefined, item: string | undefined): RestReply {
    if (id !== GUILD_ID) return unknownOf(10003, "Channel");
    const guild = guildOf();
    if (part === undefined) return { status: 200, body: guild };
    if (part === "roles" || part === "channels") return { status: 200, body: guild[part] };
    if (part !== "members" || item === undefined) return unknownOf(10003, "Channel");
    const person = this.#chats.people.get(item);
    const body =
      item === BOT_ID
        ? memberOf({ id: BOT_ID, username: "emulated-bot" }, true)
        : person && memberOf(person);
    return body === undefined ? unknownOf(10007, "Member") : { status: 200, body };
  }

  #send(chat: string, { body, files }: RestCall): RestReply {
    const fields = outgoing.safeParse(body).data;
    if (
      fields === undefined ||
      (!fields.content && files.length === 0 && !("embeds" in fields) && !("components" in fields))
    ) {
      return { status: 400, body: { code: 50006, message: "Cannot send an empty message" } };
    }
    return { status: 200, body: this.#chats.send(chat, fields.content ?? "", files) };
  }

  #message({ method, body }: RestCall, id: string, rest: string | undefined): RestReply {
    if (rest === "reactions") return { status: 204 };
    const message = this.#chats.messages.get(id);
    if (message === undefined) return unknownOf(10008, "Message");
    if (method === "DELETE") {
      this.#chats.messages.delete(id);
      return { status: 204 };
    }
    if (method === "PATCH") message.content = outgoing.parse(body).content ?? message.content;
    return { status: 200, body: message };
  }
}

function application(): RestReply {
  return { status: 200, body: { id: BOT_ID, name: "emulated", flags: 1 << 19 } };
}

function unknownOf(code: number, what: string): RestReply {
  return { status: 404, body: { code, message: `Unknown ${what}` } };
}
