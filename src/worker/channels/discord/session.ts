/**
 * The one session with Discord, held by the Durable Object: identify, resume, reconnect, by
 * https://docs.discord.com/developers/events/gateway#connection-lifecycle. Its id, its address and the
 * last sequence number that was taken are kept, so that a Durable Object that begins anew resumes.
 *
 * A sequence number is kept only after its message is stored: what was not is sent again.
 */
import * as z from "zod";
import type { ChannelHost, ChannelState } from "../channel.ts";
import type { DiscordApi, DiscordReply } from "./api.ts";
import { Link } from "./link.ts";
import { afterClose, INTENTS, OP, type Frame } from "./protocol.ts";
import type { DiscordSettings } from "./settings.ts";

/** What one dispatch came to. `full`: it could not be kept, and Discord has to send it again. */
export type Taken = "kept" | "passed" | "full";

export interface SessionParts {
  api: DiscordApi;
  host: ChannelHost;
  settings: DiscordSettings;
  dispatch(type: string, data: unknown): Promise<Taken>;
  /** A session began after one that could not be resumed: what came in between is not sent again. */
  catchUp(): Promise<void>;
}

const stored = z.object({ id: z.string(), url: z.string() });
const begun = z.object({ session_id: z.string(), resume_gateway_url: z.string() });
const gatewayBot = z.object({
  url: z.string(),
  session_start_limit: z.object({ remaining: z.number(), reset_after: z.number() }),
});
const fatalNote = z.object({ at: z.number(), message: z.string() });

const LOOK_EVERY_MS = 30_000;
/** https://docs.discord.com/developers/events/gateway#rate-limiting: one IDENTIFY in five seconds. */
const IDENTIFY_EVERY_MS = 5_000;
const FULL_MS = 10_000;
const WAITS_MS = [1_000, 2_000, 5_000, 15_000, 60_000] as const;
/** After that many failures the address of the session is asked for anew. */
const STALE_ADDRESS = 3;
/** What only a person can mend is looked at again this seldom, and only by a new Durable Object. */
const FATAL_MS = 15 * 60_000;

export class Session {
  readonly #parts: SessionParts;
  #link: Link | undefined;
  #seq: number | undefined;
  #seqKept: number | undefined;
  #failures = 0;
  #opening: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #notBefore = 0;
  #identifiedAt = 0;
  #fatal = false;
  #full = false;
  state: Pick<ChannelState, "connection" | "error"> = { connection: "connecting" };

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { host, settings } = parts;
    // Which token, without a word of it: another one is another session.
    const bot = `${settings.botId} ${settings.apiUrl} ${checksum(settings.token)}`;
    if (host.read("bot") !== bot) {
      for (const name of ["session", "seq", "missed", "fatal"]) host.write(name, undefined);
      host.write("bot", bot);
    }
    const seq = host.read("seq");
    this.#seq = seq === undefined ? undefined : Number(seq);
    this.#seqKept = this.#seq;
    const fatal = fatalNote.safeParse(parseJson(host.read("fatal"))).data;
    if (fatal !== undefined && host.now() - fatal.at < FATAL_MS) {
      this.#fatal = true;
      this.state = { connection: "failed", error: { at: fatal.at, message: fatal.message } };
    }
  }

  /** @returns when to look again, in milliseconds; undefined when only a person can mend it */
  async tend(): Promise<number | undefined> {
    if (this.#fatal) return undefined;
    this.#keepSeq();
    if (this.#link === undefined && this.#parts.host.now() >= this.#notBefore)
      await this.#connect();
    return this.#fatal ? undefined : LOOK_EVERY_MS;
  }

  #connect(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    if (this.#link !== undefined || this.#fatal) return;
    const address = await this.#address();
    if (address === undefined) return;
    try {
      const link: Link = await Link.open(address, {
        fetch: (input, init) => this.#parts.host.fetch(input, init),
        seq: () => this.#seq,
        take: (frame) => (this.#link === link ? this.#take(link, frame) : Promise.resolve()),
        over: (code, why) => {
          if (this.#link === link) this.#over(code, why);
        },
      });
      this.#link = link;
    } catch (error) {
      this.#failed(String(error instanceof Error ? error.message : error).slice(0, 200));
    }
  }

  /** Undefined when there is none now; then it is tried again later. */
  async #address(): Promise<string | undefined> {
    const session = this.#session();
    if (session !== undefined && this.#failures < STALE_ADDRESS) {
      const address = this.#checked(session.url);
      if (address !== undefined) return address;
    }
    const answer = await this.#parts.api.call("GET", "/gateway/bot");
    if (!answer.ok) return this.#refused(answer);
    const told = gatewayBot.safeParse(answer.result).data;
    const address = this.#checked(told?.url);
    if (told === undefined || address === undefined) {
      return void this.#failed("Discord named no usable address of its Gateway.");
    }
    const { remaining, reset_after: resetAfter } = told.session_start_limit;
    if (session === undefined && remaining <= 0) {
      const minutes = Math.ceil(resetAfter / 60_000);
      return void this.#failed(
        `Discord allows no more sessions of this bot today; tried again in ${minutes} minutes.`,
        resetAfter,
      );
    }
    return address;
  }

  #refused(answer: Extract<DiscordReply, { ok: false }>): undefined {
    if (answer.status === 401) return this.#giveUp(answer.reason);
    this.#failed(answer.reason, answer.retryAfterMs);
  }

  async #take(link: Link, { op, d, s, t }: Frame): Promise<void> {
    switch (op) {
      case OP.hello:
        return this.#greet(link);
      case OP.reconnect:
        return link.leave("Discord asked to connect again.");
      case OP.invalidSession:
        if (d !== true) this.#forget();
        // A random pause of one to five seconds is asked for.
        this.#notBefore = this.#parts.host.now() + 1_000 + Math.random() * 4_000;
        return link.leave("Discord ended the session.");
      case OP.dispatch:
        return this.#dispatched(link, t ?? "", d, s ?? undefined);
    }
  }

  async #greet(link: Link): Promise<void> {
    const { host, settings } = this.#parts;
    const session = this.#session();
    if (session !== undefined && this.#seq !== undefined) {
      link.send({
        op: OP.resume,
        d: { token: settings.token, session_id: session.id, seq: this.#seq },
      });
      return;
    }
    const wait = this.#identifiedAt + IDENTIFY_EVERY_MS - host.now();
    if (wait > 0) await pause(wait);
    this.#identifiedAt = host.now();
    link.send({
      op: OP.identify,
      d: {
        token: settings.token,
        intents: INTENTS,
        properties: { os: "linux", browser: "moltworker", device: "moltworker" },
      },
    });
  }

  async #dispatched(
    link: Link,
    type: string,
    data: unknown,
    seq: number | undefined,
  ): Promise<void> {
    const { host, dispatch } = this.#parts;
    if (type === "READY") {
      const session = begun.safeParse(data).data;
      if (session === undefined) return link.leave("Discord's READY is not understood.");
      const { session_id: id, resume_gateway_url: url } = session;
      host.write("session", JSON.stringify({ id, url }));
    }
    const taken = await dispatch(type, data);
    if (taken === "full") {
      this.#notBefore = host.now() + FULL_MS;
      this.#full = true;
      return link.leave("The inbox is full; Discord keeps what comes meanwhile.");
    }
    if (seq !== undefined) this.#seq = seq;
    if (taken === "kept" || type === "READY") this.#keepSeq();
    if (type === "READY" || type === "RESUMED") {
      this.#failures = 0;
      this.#full = false;
      this.state = { connection: "connected" };
      host.write("fatal", undefined);
      host.changed();
      if (type === "READY" && host.read("missed") !== undefined) {
        await this.#parts.catchUp();
        host.write("missed", undefined);
      }
    }
  }

  #over(code: number | undefined, why: string): void {
    this.#link = undefined;
    this.#keepSeq();
    const after = code === undefined ? ({ next: "resume" } as const) : afterClose(code);
    if (after.next === "give-up") return void this.#giveUp(after.problem);
    if (after.next === "identify") this.#forget();
    const connected = this.state.connection === "connected";
    // A connection that stood is replaced at once, without a word to anybody.
    if (connected && !this.#full)
      return this.#again(Math.max(0, this.#notBefore - this.#parts.host.now()));
    this.#failed(code === undefined ? why : `${why} (${code}).`);
  }

  #failed(message: string, atLeastMs = 0): void {
    const { host } = this.#parts;
    this.#failures += 1;
    const wait = WAITS_MS[Math.min(this.#failures, WAITS_MS.length) - 1] ?? 0;
    const jitter = wait * Math.random() * 0.25;
    const set = Math.max(wait + jitter, atLeastMs, this.#notBefore - host.now());
    this.state = { connection: "failed", error: { at: host.now(), message } };
    host.log.warn("discord session", { message, failures: this.#failures });
    host.changed();
    this.#again(set);
  }

  #again(ms: number): void {
    const { host } = this.#parts;
    this.state = this.state.connection === "connected" ? { connection: "connecting" } : this.state;
    this.#notBefore = host.now() + ms;
    clearTimeout(this.#retry ?? null);
    this.#retry = setTimeout(() => host.waitUntil(this.#connect()), ms);
  }

  #giveUp(message: string): undefined {
    const { host } = this.#parts;
    const at = host.now();
    this.#fatal = true;
    clearTimeout(this.#retry ?? null);
    this.#forget();
    host.write("fatal", JSON.stringify({ at, message }));
    this.state = { connection: "failed", error: { at, message } };
    host.log.warn("discord session given up", { message });
    host.changed();
  }

  #forget(): void {
    const { host } = this.#parts;
    if (host.read("session") !== undefined) host.write("missed", "1");
    host.write("session", undefined);
    host.write("seq", undefined);
    this.#seq = undefined;
    this.#seqKept = undefined;
  }

  #session(): z.infer<typeof stored> | undefined {
    return stored.safeParse(parseJson(this.#parts.host.read("session"))).data;
  }

  #keepSeq(): void {
    if (this.#seq === undefined || this.#seq === this.#seqKept) return;
    this.#parts.host.write("seq", String(this.#seq));
    this.#seqKept = this.#seq;
  }

  /** Only to Discord itself, or to the host that stands for it: the token goes there. */
  #checked(text: string | undefined): string | undefined {
    if (text === undefined || !URL.canParse(text)) return undefined;
    const url = new URL(text);
    const api = new URL(this.#parts.settings.apiUrl);
    const fits =
      api.hostname === "discord.com"
        ? url.protocol === "wss:" && url.port === "" && url.hostname.endsWith(".discord.gg")
        : url.host === api.host;
    if (!fits) return undefined;
    url.protocol = url.protocol === "ws:" ? "http:" : "https:";
    url.search = "?v=10&encoding=json";
    return url.href;
  }
}

/** FNV-1a; says that a token changed and nothing about it. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
