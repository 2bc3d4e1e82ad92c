/**
 * Discord in the Durable Object: one session with Discord (`session.ts`), and a Gateway of our own for
 * the plugin inside (`facade.ts`). Messages to the agent go through the inbox; what only matters to an
 * agent that is up is passed on as it comes, and dropped while it is not.
 */
import * as z from "zod";
import type {
  Arrival,
  Channel,
  ChannelHost,
  ChannelState,
  Circumstances,
  Heed,
  Letter,
  Verdict,
} from "../channel.ts";
import { DiscordApi, type DiscordReply } from "./api.ts";
import { CatchUp } from "./catch-up.ts";
import { interaction, readDispatch, type Reading } from "./event.ts";
import { Facade } from "./facade.ts";
import { Session, type Taken } from "./session.ts";
import { FACADE_HOST, placeholderToken, type DiscordSettings } from "./settings.ts";
import { Snapshot } from "./snapshot.ts";

/** How long a gateway that is ready may take to connect its plugin. */
const PRESENT_MS = 20_000;
const GIVE_MS = 20_000;
/** Shown to whoever uses a command while nobody is there to answer in Discord's three seconds. */
const ASLEEP =
  "I am asleep. Send me a message to wake me, then use the command again. (我在休眠，请先发消息唤醒我，再使用命令。)";
const EPHEMERAL = 1 << 6;
const directChat = z.object({ id: z.string() });
const placed = z.object({ guild_id: z.string() });

export class DiscordChannel implements Channel {
  readonly id = "discord";
  readonly policy: DiscordSettings["policy"];
  readonly allowFrom: readonly string[];
  readonly #settings: DiscordSettings;
  readonly #host: ChannelHost;
  readonly #api: DiscordApi;
  readonly #snapshot: Snapshot;
  readonly #session: Session;
  readonly #facade: Facade;
  readonly #catchUp: CatchUp;

  constructor(settings: DiscordSettings, host: ChannelHost) {
    this.policy = settings.policy;
    this.allowFrom = settings.allowFrom;
    this.#settings = settings;
    this.#host = host;
    this.#api = new DiscordApi(settings, {
      fetch: (input, init) => host.fetch(input, init),
      now: () => host.now(),
    });
    this.#snapshot = new Snapshot(host, settings.botId);
    this.#catchUp = new CatchUp(host, this.#api, (message) => this.#missed(message));
    this.#session = new Session({
      ...{ api: this.#api, host, settings },
      dispatch: (type, data) => this.#dispatched(type, data),
      missed: () => this.#catchUp.missed(),
      connected: () => void this.#catchUp.go(),
    });
    this.#facade = new Facade({
      placeholder: placeholderToken(settings),
      address: `wss://${FACADE_HOST}`,
      now: () => host.now(),
      snapshot: () => {
        const ready = this.#snapshot.ready();
        return ready === undefined ? undefined : { ready, guilds: this.#snapshot.guilds() };
      },
    });
  }

  /** A direct message is judged; in a server only who was let in may speak, or all of a listed one. */
  heed({ kind, body }: Arrival, { standing }: Circumstances): Heed {
    if (kind === "direct") return "judge";
    if (standing === "barred") return "drop";
    const listed = this.#isListed(placed.safeParse(parseJson(body)).data?.guild_id);
    return standing === "approved" || listed ? "take" : "drop";
  }

  /** Compression and other encodings are not offered, so a client that insists gets no socket. */
  speaks({ searchParams }: URL): boolean {
    return (
      (searchParams.get("v") ?? "10") === "10" &&
      (searchParams.get("encoding") ?? "json") === "json" &&
      !searchParams.has("compress")
    );
  }

  connect(socket: WebSocket): void {
    this.#facade.open(socket);
  }

  async deliver({ body }: Letter): Promise<Verdict> {
    const data = parseJson(body);
    if (data === undefined) return { kind: "refused", reason: "The message is not readable." };
    if (!(await this.#facade.present(PRESENT_MS))) {
      return { kind: "later", reason: "The gateway's Discord plugin has not connected." };
    }
    return (await this.#facade.give("MESSAGE_CREATE", data, GIVE_MS))
      ? { kind: "accepted" }
      : { kind: "later", reason: "The gateway's Discord plugin did not acknowledge the message." };
  }

  async signOfLife({ chat }: Letter): Promise<void> {
    if (chat !== undefined) await this.#api.call("POST", `/channels/${chat}/typing`);
  }

  async say(chat: string, text: string): Promise<{ ok: true } | { ok: false; reason: string }> {
    if (!/^\d{1,20}$/.test(chat)) return { ok: false, reason: "Write a channel's id, a number." };
    const sent: DiscordReply = await this.#api.patiently("POST", `/channels/${chat}/messages`, {
      content: text.slice(0, 2_000),
      allowed_mentions: { parse: [] },
    });
    return sent.ok ? { ok: true } : { ok: false, reason: sent.reason };
  }

  /** https://docs.discord.com/developers/resources/user#create-dm */
  async sayTo(person: string, text: string): Promise<{ ok: true } | { ok: false; reason: string }> {
    const body = { recipient_id: person };
    const opened = await this.#api.patiently("POST", "/users/@me/channels", body);
    if (!opened.ok) return { ok: false, reason: opened.reason };
    const chat = directChat.safeParse(opened.result).data;
    if (chat === undefined) return { ok: false, reason: "Discord named no chat with that person." };
    return this.say(chat.id, text);
  }

  async tend(): Promise<number> {
    const due = await this.#session.tend();
    if (this.#session.state.connection !== "connected") return due;
    return Math.min(due, this.#catchUp.go() ?? due);
  }

  state(): ChannelState {
    const { account } = this.#snapshot;
    return { ...this.#session.state, way: "socket", ...(account === undefined ? {} : { account }) };
  }

  async #dispatched(type: string, data: unknown): Promise<Taken> {
    if (type === "RESUMED") return "passed";
    if (type === "READY") {
      if (this.#snapshot.begin(data)) this.#facade.known();
      return "passed";
    }
    this.#snapshot.observe(type, data);
    const reading = this.#read(type, data);
    if (reading.kind === "letter") return this.#store(reading);
    if (type === "INTERACTION_CREATE") return this.#interaction(data, reading);
    if (this.#concernsAgent(reading)) this.#facade.pass(type, data);
    return "passed";
  }

  async #missed(message: unknown): Promise<boolean> {
    const reading = this.#read("MESSAGE_CREATE", message);
    return reading.kind !== "letter" || (await this.#store(reading)) !== "full";
  }

  async #store({ arrival, guild }: Extract<Reading, { kind: "letter" }>): Promise<Taken> {
    if (!(await this.#host.receive([arrival]))) return "full";
    if (arrival.chat !== undefined) this.#catchUp.note(arrival.chat, arrival.eventId, guild);
    return "kept";
  }

  #read(type: string, data: unknown): Reading {
    return readDispatch(type, data, {
      botId: this.#settings.botId,
      isRole: (guild, role) => this.#snapshot.isRole(guild, role),
    });
  }

  /** What people of servers that are not listed write is none of the agent's business. */
  #concernsAgent({ written, guild, author }: Extract<Reading, { kind: "live" }>): boolean {
    if (author !== undefined && this.#host.standing(author) === "barred") return false;
    return !written || guild === undefined || this.#isListed(guild);
  }

  async #interaction(data: unknown, reading: Extract<Reading, { kind: "live" }>): Promise<Taken> {
    const parsed = interaction.safeParse(data).data;
    const standing = this.#host.standing(reading.author ?? "");
    const mayUse =
      standing === "approved" || reading.guild === undefined || this.#isListed(reading.guild);
    if (parsed === undefined || standing === "barred" || !mayUse) return "passed";
    if (this.#facade.connected) {
      this.#facade.pass("INTERACTION_CREATE", data);
      return "passed";
    }
    const { id, token } = parsed;
    const answer = this.#api.call(
      "POST",
      `/interactions/${id}/${encodeURIComponent(token)}/callback`,
      {
        type: 4,
        data: { content: ASLEEP, flags: EPHEMERAL },
      },
    );
    this.#host.waitUntil(answer);
    return "passed";
  }

  #isListed(guild: string | undefined): boolean {
    return guild !== undefined && this.#settings.guilds.includes(guild);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
