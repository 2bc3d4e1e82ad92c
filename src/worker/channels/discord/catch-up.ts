/**
 * Messages that Discord does not send again, because the session they belonged to could not be
 * resumed: asked for in the chats that are known, from the last one that was stored. Chats that nobody
 * has written in before are not known, and Discord has no list of them for a bot.
 */
import * as z from "zod";
import type { ChannelHost } from "../channel.ts";
import type { DiscordApi } from "./api.ts";

const chats = z.record(z.string(), z.object({ last: z.string(), guild: z.string().optional() }));
type Chats = z.infer<typeof chats>;
const messages = z.array(z.looseObject({ id: z.string() }));

const MAX_CHATS = 100;
const PAGE = 100;
const MAX_PAGES = 5;

export class CatchUp {
  readonly #host: ChannelHost;
  readonly #api: DiscordApi;

  constructor(host: ChannelHost, api: DiscordApi) {
    this.#host = host;
    this.#api = api;
  }

  /** A message of this chat is stored. */
  note(chat: string, last: string, guild: string | undefined): void {
    const { [chat]: before, ...others } = this.#chats();
    if (before !== undefined && BigInt(before.last) >= BigInt(last)) return;
    const kept = Object.entries(others).slice(-(MAX_CHATS - 1));
    // The newest comes last, so that the oldest is the one that is forgotten.
    const next = [...kept, [`${chat}`, { last, ...(guild === undefined ? {} : { guild }) }]];
    this.#host.write("chats", JSON.stringify(next));
  }

  /** Calls `take` with each missed message, oldest first, as Discord would have sent it. */
  async run(take: (message: unknown) => Promise<boolean>): Promise<void> {
    for (const [chat, { last, guild }] of Object.entries(this.#chats())) {
      await this.#chat(chat, last, guild, take);
    }
  }

  async #chat(
    chat: string,
    last: string,
    guild: string | undefined,
    take: (message: unknown) => Promise<boolean>,
  ): Promise<void> {
    let after = last;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const path = `/channels/${chat}/messages?after=${after}&limit=${PAGE}`;
      const answer = await this.#api.call("GET", path);
      const found = messages.safeParse(answer.ok ? answer.result : undefined).data;
      if (found === undefined) {
        this.#host.log.warn("discord catch-up", { chat, reason: answer.ok ? "" : answer.reason });
        return;
      }
      // Discord answers newest first.
      for (const message of found.toReversed()) {
        if (!(await take(guild === undefined ? message : { ...message, guild_id: guild }))) return;
      }
      const newest = found[0]?.id;
      if (newest === undefined || found.length < PAGE) return;
      after = newest;
    }
  }

  #chats(): Chats {
    const text = this.#host.read("chats");
    if (text === undefined) return {};
    try {
      return chats.parse(
        Object.fromEntries(z.array(z.tuple([z.string(), z.unknown()])).parse(JSON.parse(text))),
      );
    } catch {
      return {};
    }
  }
}
