/**
 * Messages that Discord does not send again, because the session they belonged to could not be
 * resumed: asked for in the chats that are known, from the last one that was stored. Chats that nobody
 * has written in before are not known, and Discord has no list of them for a bot.
 *
 * What is missing of a chat is noted when a session begins and stays noted until it was fetched, however
 * often that fails and whatever comes meanwhile.
 */
import * as z from "zod";
import type { ChannelHost } from "../channel.ts";
import type { DiscordApi } from "./api.ts";

const chat = z.object({ last: z.string(), guild: z.string().optional() });
/** `after`: what is stored already. `read`: how many pages were asked for since. */
const gap = z.object({ after: z.string(), guild: z.string().optional(), read: z.number() });
type Gap = z.infer<typeof gap>;
const messages = z.array(z.looseObject({ id: z.string() }));

const MAX_CHATS = 100;
const PAGE = 100;
/** Of one chat; who talked that much while nobody heard is told that the rest is missing. */
const MAX_PAGES = 20;
const AGAIN_MS = 30_000;

export class CatchUp {
  readonly #host: ChannelHost;
  readonly #api: DiscordApi;
  readonly #take: (message: unknown) => Promise<boolean>;
  #running = false;
  #notBefore = 0;
  /** How often something was missed in the life of this object. */
  #losses = 0;

  /** @param take stores a message as Discord would have sent it; false when there is no room */
  constructor(host: ChannelHost, api: DiscordApi, take: (message: unknown) => Promise<boolean>) {
    this.#host = host;
    this.#api = api;
    this.#take = take;
  }

  /** A message of this chat is stored. */
  note(id: string, last: string, guild: string | undefined): void {
    const chats = this.#list("chats", chat);
    const before = chats.get(id);
    if (before !== undefined && BigInt(before.last) >= BigInt(last)) return;
    chats.delete(id);
    // The newest comes last, so that the oldest is the one that is forgotten.
    chats.set(id, { last, ...(guild === undefined ? {} : { guild }) });
    this.#host.write("chats", JSON.stringify([...chats].slice(-MAX_CHATS)));
  }

  /** A session begins that does not know what came before it. Resolved when it returns. */
  missed(): void {
    this.#losses += 1;
    const gaps = this.#gaps();
    for (const [id, { last, guild }] of this.#list("chats", chat)) {
      if (gaps.has(id)) continue;
      gaps.set(id, { after: last, read: 0, ...(guild === undefined ? {} : { guild }) });
    }
    this.#write(gaps);
  }

  /** Fetches in the background what is missing. @returns when to call again; undefined for never */
  go(): number | undefined {
    if (this.#gaps().size === 0) return undefined;
    const wait = this.#notBefore - this.#host.now();
    if (wait > 0) return wait;
    if (!this.#running) {
      this.#running = true;
      this.#host.waitUntil(
        this.#all().finally(() => {
          this.#running = false;
        }),
      );
    }
    return AGAIN_MS;
  }

  async #all(): Promise<void> {
    for (;;) {
      const [first] = this.#gaps();
      if (first === undefined || !(await this.#page(...first))) return;
    }
  }

  /** One page of a chat. @returns whether there is any use in going on now */
  async #page(id: string, known: Gap): Promise<boolean> {
    const losses = this.#losses;
    const path = `/channels/${id}/messages?after=${known.after}&limit=${PAGE}`;
    const answer = await this.#api.call("GET", path);
    const found = messages.safeParse(answer.ok ? answer.result : undefined).data;
    if (found === undefined) return this.#failed(id, known, answer);
    // Discord answers newest first.
    for (const message of found.toReversed()) {
      const { guild } = known;
      if (await this.#take(guild === undefined ? message : { ...message, guild_id: guild }))
        continue;
      return this.#later(AGAIN_MS);
    }
    const next = { ...known, after: found[0]?.id ?? known.after, read: known.read + 1 };
    if (found.length < PAGE && losses === this.#losses) {
      this.#become(id, undefined);
    } else if (next.read >= MAX_PAGES) {
      this.#become(id, undefined);
      this.#host.alert(
        `Discord: more was written in the chat ${id} while nobody listened than is fetched (${MAX_PAGES * PAGE} messages). The rest has to be written again.`,
      );
    } else {
      this.#become(id, next);
    }
    return true;
  }

  #failed(id: string, known: Gap, answer: Awaited<ReturnType<DiscordApi["call"]>>): boolean {
    const {
      status,
      reason,
      retryAfterMs = 0,
    } = answer.ok ? { reason: "Discord's answer is not understood." } : answer;
    this.#host.log.warn("discord catch-up", { chat: id, reason });
    // The chat is gone, or the bot may not read it any more.
    const gone = status === 403 || status === 404;
    this.#become(id, undefined);
    if (gone) return true;
    // At the end, so that a chat in trouble does not keep the others waiting.
    this.#become(id, known);
    return this.#later(Math.max(retryAfterMs, AGAIN_MS));
  }

  #later(ms: number): false {
    this.#notBefore = this.#host.now() + ms;
    return false;
  }

  #become(id: string, next: Gap | undefined): void {
    const gaps = this.#gaps();
    if (next === undefined) gaps.delete(id);
    else gaps.set(id, next);
    this.#write(gaps);
  }

  #gaps(): Map<string, Gap> {
    return this.#list("gaps", gap);
  }

  #write(gaps: Map<string, Gap>): void {
    this.#host.write("gaps", gaps.size === 0 ? undefined : JSON.stringify([...gaps]));
  }

  /** In the order in which they were put there. */
  #list<T>(name: string, entry: z.ZodType<T>): Map<string, T> {
    const text = this.#host.read(name);
    if (text === undefined) return new Map();
    try {
      return new Map(z.array(z.tuple([z.string(), entry])).parse(JSON.parse(text)));
    } catch {
      return new Map();
    }
  }
}
