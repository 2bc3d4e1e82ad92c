/**
 * What Discord said when the session began: its READY and the servers. Kept, because a session that
 * is resumed hears it only once and the gateway inside asks for it at each start.
 */
import * as z from "zod";
import type { ChannelHost } from "../channel.ts";

const ready = z.looseObject({
  user: z.looseObject({ id: z.string(), username: z.string().optional() }),
  guilds: z.array(z.looseObject({ id: z.string() })),
});
type Ready = z.infer<typeof ready>;
const guild = z.looseObject({
  id: z.string(),
  unavailable: z.boolean().optional(),
  roles: z
    .array(
      z.looseObject({
        id: z.string(),
        tags: z.looseObject({ bot_id: z.string().optional() }).optional(),
      }),
    )
    .optional(),
});

const MAX_GUILDS = 100;
/** A row of the Durable Object holds 2 MB; of a larger server only the name is kept. */
const MAX_GUILD_CHARS = 500_000;
/** People, who is online, who speaks: large, stale at once, and not asked for. */
const LEFT_OUT = ["members", "presences", "voice_states", "stickers", "soundboard_sounds"];

export class Snapshot {
  readonly #host: ChannelHost;
  readonly #botId: string;

  constructor(host: ChannelHost, botId: string) {
    this.#host = host;
    this.#botId = botId;
  }

  /** @returns false when that is no READY */
  begin(data: unknown): boolean {
    const parsed = ready.safeParse(data);
    if (!parsed.success) return false;
    const { session_id: _id, resume_gateway_url: _url, ...rest } = parsed.data;
    const guilds = parsed.data.guilds
      .slice(0, MAX_GUILDS)
      .map(({ id }) => ({ id, unavailable: true }));
    const ids = new Set(guilds.map(({ id }) => id));
    for (const { id } of this.ready()?.guilds ?? []) {
      if (!ids.has(id)) this.#host.write(guildNote(id), undefined);
    }
    this.#host.write("ready", JSON.stringify({ ...rest, guilds }));
    return true;
  }

  ready(): Ready | undefined {
    return ready.safeParse(parseJson(this.#host.read("ready"))).data;
  }

  get account(): string | undefined {
    return this.ready()?.user.username;
  }

  /** GUILD_CREATE and GUILD_DELETE change what is kept; everything else is left alone. */
  observe(type: string, data: unknown): void {
    if (type !== "GUILD_CREATE" && type !== "GUILD_DELETE") return;
    const parsed = guild.safeParse(data);
    const known = this.ready();
    if (!parsed.success || known === undefined) return;
    const { id, unavailable } = parsed.data;
    // An outage of Discord's: the bot is still there.
    if (unavailable === true) return;
    const others = known.guilds.filter((one) => one.id !== id);
    const gone = type === "GUILD_DELETE";
    if (!gone && others.length >= MAX_GUILDS) return;
    const guilds = gone ? others : [...others, { id, unavailable: true }];
    this.#host.write("ready", JSON.stringify({ ...known, guilds }));
    this.#host.write(guildNote(id), gone ? undefined : keptGuild(parsed.data));
  }

  /** As GUILD_CREATE said it, without what is left out; undefined when it was too large. */
  guilds(): unknown[] {
    return (this.ready()?.guilds ?? []).flatMap(
      ({ id }) => parseJson(this.#host.read(guildNote(id))) ?? [],
    );
  }

  /** A role that Discord made for this bot. */
  isRole(guildId: string, role: string): boolean {
    const kept = guild.safeParse(parseJson(this.#host.read(guildNote(guildId)))).data;
    return kept?.roles?.some((one) => one.id === role && one.tags?.bot_id === this.#botId) === true;
  }
}

function keptGuild(data: z.infer<typeof guild>): string | undefined {
  const lean = { ...data, ...Object.fromEntries(LEFT_OUT.map((name) => [name, []])) };
  const text = JSON.stringify(lean);
  return text.length <= MAX_GUILD_CHARS ? text : undefined;
}

function guildNote(id: string): string {
  return `guild:${id}`;
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
