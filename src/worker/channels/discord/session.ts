/**
 * The one session with Discord, held by the Durable Object: identify, resume, reconnect, by
 * https://docs.discord.com/developers/events/gateway#connection-lifecycle.
 *
 * A sequence number is kept only after its message is stored: what was not is sent again.
 */
import * as z from "zod";
import type { ChannelHost, ChannelState } from "../channel.ts";
import type { DiscordApi, DiscordReply } from "./api.ts";
import { gatewayAddress } from "./gateway-address.ts";
import { Link } from "./link.ts";
import { afterClose, INTENTS, OP, type Frame } from "./protocol.ts";
import { FATAL_MS, SessionNotes } from "./session-notes.ts";
import type { DiscordSettings } from "./settings.ts";

/** What one dispatch came to. `full`: it could not be kept, and Discord has to send it again. */
export type Taken = "kept" | "passed" | "full";

export interface SessionParts {
  api: DiscordApi;
  host: ChannelHost;
  settings: DiscordSettings;
  dispatch(type: string, data: unknown): Promise<Taken>;
  /** A session begins after one that could not be resumed: what came in between is not sent again. */
  missed(): void;
  /** Dispatches arrive. */
  connected(): void;
}

const begun = z.object({ session_id: z.string(), resume_gateway_url: z.string() });
const gatewayBot = z.object({
  url: z.string(),
  session_start_limit: z.object({ remaining: z.number(), reset_after: z.number() }),
});

const LOOK_EVERY_MS = 30_000;
/** https://docs.discord.com/developers/events/gateway#rate-limiting: one IDENTIFY in five seconds. */
const IDENTIFY_EVERY_MS = 5_000;
const FULL_MS = 10_000;
const WAITS_MS = [1_000, 2_000, 5_000, 15_000, 60_000] as const;
/** After that many failures the address of the session is asked for anew. */
const STALE_ADDRESS = 3;

export class Session {
  readonly #parts: SessionParts;
  readonly #notes: SessionNotes;
  #link: Link | undefined;
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
    this.#notes = new SessionNotes(parts.host, parts.settings);
    const { fatal } = this.#notes;
    if (fatal !== undefined) {
      this.#fatal = true;
      this.#notBefore = fatal.at + FATAL_MS;
      this.state = { connection: "failed", error: fatal };
    }
  }

  /** @returns when to look again, in milliseconds */
  async tend(): Promise<number> {
    this.#notes.keepSeq();
    const { host } = this.#parts;
    if (this.#link === undefined && host.now() >= this.#notBefore) await this.#connect();
    return Math.max(LOOK_EVERY_MS, this.#fatal ? this.#notBefore - host.now() : 0);
  }

  #connect(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    if (this.#link !== undefined) return;
    this.#fatal = false;
    const address = await this.#address();
    if (address === undefined) return;
    try {
      const link: Link = await Link.open(address, {
        fetch: (input, init) => this.#parts.host.fetch(input, init),
        seq: () => this.#notes.seq,
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
    const { settings } = this.#parts;
    const { session } = this.#notes;
    if (session !== undefined && this.#failures < STALE_ADDRESS) {
      const address = gatewayAddress(session.url, settings.apiUrl);
      if (address !== undefined) return address;
    }
    const answer = await this.#parts.api.call("GET", "/gateway/bot");
    if (!answer.ok) return this.#refused(answer);
    const told = gatewayBot.safeParse(answer.result).data;
    const address = gatewayAddress(told?.url, settings.apiUrl);
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
        if (d !== true) this.#notes.forget();
        // A random pause of one to five seconds is asked for.
        this.#notBefore = this.#parts.host.now() + 1_000 + Math.random() * 4_000;
        return link.leave("Discord ended the session.");
      case OP.dispatch:
        return this.#dispatched(link, t ?? "", d, s ?? undefined);
    }
  }

  async #greet(link: Link): Promise<void> {
    const { host, settings } = this.#parts;
    const { session, seq } = this.#notes;
    if (session !== undefined && seq !== undefined) {
      link.send({ op: OP.resume, d: { token: settings.token, session_id: session.id, seq } });
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
    const { host, dispatch, missed, connected } = this.#parts;
    if (type === "READY") {
      const session = begun.safeParse(data).data;
      if (session === undefined) return link.leave("Discord's READY is not understood.");
      this.#notes.begun(session.session_id, session.resume_gateway_url);
    }
    const begins = type === "READY" || type === "RESUMED";
    // In one write with the session that it belongs to, and before anything of it is stored.
    if (begins && this.#notes.takeMissed()) missed();
    const taken = await dispatch(type, data);
    if (taken === "full") {
      this.#notBefore = host.now() + FULL_MS;
      this.#full = true;
      return link.leave("The inbox is full; Discord keeps what comes meanwhile.");
    }
    if (seq !== undefined) this.#notes.seq = seq;
    if (taken === "kept" || type === "READY") this.#notes.keepSeq();
    if (!begins) return;
    this.#failures = 0;
    this.#full = false;
    this.state = { connection: "connected" };
    this.#notes.fatal = undefined;
    host.changed();
    connected();
  }

  #over(code: number | undefined, why: string): void {
    this.#link = undefined;
    this.#notes.keepSeq();
    const after = code === undefined ? ({ next: "resume" } as const) : afterClose(code);
    if (after.next === "give-up") return void this.#giveUp(after.problem);
    if (after.next === "identify") this.#notes.forget();
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
    this.#notBefore = at + FATAL_MS;
    clearTimeout(this.#retry ?? null);
    this.#notes.forget();
    this.#notes.fatal = { at, message };
    this.state = { connection: "failed", error: { at, message } };
    host.log.warn("discord session given up", { message });
    host.changed();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
