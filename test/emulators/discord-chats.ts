/** Who is at the emulated Discord, what was said there, and the media that messages point to. */
import {
  BOT,
  channelOf,
  messageOf,
  TEAM_CHANNEL,
  type Attachment,
  type Message,
  type Person,
} from "./discord-world.ts";

export class DiscordChats {
  readonly people = new Map<string, Person>();
  readonly messages = new Map<string, Message>();
  /** By the path of their address. */
  readonly media = new Map<string, { content: Uint8Array; type: string }>();
  readonly #direct = new Map<string, Person>();
  readonly #received = new Map<string, Uint8Array[]>();
  #nextId = 900_000_000_000_000_000n;

  newId(): string {
    this.#nextId += 1n;
    return String(this.#nextId);
  }

  /** The direct chat with somebody. */
  direct(person: Person): string {
    this.people.set(person.id, person);
    const known = [...this.#direct].find(([, one]) => one.id === person.id)?.[0];
    const id = known ?? this.newId();
    this.#direct.set(id, person);
    return id;
  }

  channel(id: string): Record<string, unknown> | undefined {
    if (id === TEAM_CHANNEL) return channelOf(id);
    const person = this.#direct.get(id);
    return person === undefined ? undefined : channelOf(id, person);
  }

  attach(filename: string, content: Uint8Array): Attachment {
    const id = this.newId();
    const type = filename.endsWith(".png") ? "image/png" : "application/octet-stream";
    const path = `/attachments/1/${id}/${filename}`;
    this.media.set(path, { content, type });
    const url = `https://cdn.discordapp.com${path}`;
    const proxied = `https://media.discordapp.net${path}`;
    return { id, filename, size: content.length, url, proxy_url: proxied, content_type: type };
  }

  put(
    fields: Pick<Message, "channel_id" | "content" | "author" | "attachments">,
    more: object = {},
  ): Message {
    const message = { ...messageOf({ id: this.newId(), ...fields }), ...more };
    this.messages.set(message.id, message);
    return message;
  }

  /** The bot says something. */
  send(chat: string, content: string, files: Uint8Array[]): Message {
    this.#received.set(chat, [...this.sentFiles(chat), ...files]);
    const attachments = files.map((file, at) => this.attach(`file-${at}.png`, file));
    return this.put({ channel_id: chat, content, author: BOT, attachments });
  }

  texts(chat: string): string[] {
    return [...this.messages.values()]
      .filter(({ channel_id: at, author }) => at === chat && author === BOT)
      .map(({ content }) => content);
  }

  sentFiles(chat: string): Uint8Array[] {
    return this.#received.get(chat) ?? [];
  }

  /** In the order of their ids, the newest last. */
  history(chat: string, after: bigint, limit: number): Message[] {
    const all = [...this.messages.values()].filter(
      (one) => one.channel_id === chat && BigInt(one.id) > after,
    );
    return after === 0n ? all.slice(-limit) : all.slice(0, limit);
  }
}
