/**
 * What a chat platform has to offer so that its messages reach the agent. One file pair a platform:
 *
 *   <platform>/settings.ts   its settings, read once (`readTelegram`), and their type
 *   <platform>/webhook.ts    a request of the platform → verified `Arrival`s (Worker, stateless)
 *   <platform>/access.ts     the sandbox's own calls to the platform: which hosts, what is put in
 *                            place of the placeholder, what is refused (Outbound, stateless)
 *   <platform>/channel.ts    a `Channel`: delivery, sign of life, connection (Durable Object)
 *   gateway-config.ts        one row a platform: the gateway's `channels.<id>` block
 *
 * What all of them share is in this folder and needs no line from a platform: an arrival is stored
 * before the platform hears that it was taken, kept once for each event id, judged (`admission.ts`),
 * wakes the agent within bounds, is handed over in order for each channel, tried again with backoff,
 * and forgotten only when a committed backup holds the gateway's own acknowledgement.
 *
 * A platform that pushes calls `agent.receive` from its webhook; a platform whose connection the
 * Durable Object holds calls `host.receive` from its `Channel`. Both resolve when it is stored.
 */
import type { ChannelId, DmPolicy } from "../../protocol/channels.ts";
import type { Logger } from "../logger.ts";

/** Something that happened on a platform. */
export interface Arrival {
  channel: ChannelId;
  /** The platform's own id of the event (`update_id`, `event_id`): kept once, however often it comes. */
  eventId: string;
  /** Absent for what nobody in particular did; that never wakes the agent. */
  sender?: Sender;
  /** Where an answer would go. */
  chat?: string;
  /** Only a direct message can ask for pairing. */
  kind: "direct" | "group" | "other";
  /** The beginning of the text, for the admin page. */
  preview: string;
  /** Headers the gateway's listener needs besides those that `Channel.deliver` adds. */
  headers?: Record<string, string>;
  /** Exactly what is handed to the gateway. */
  body: string;
}

export interface Sender {
  /** As the gateway's pairing names it: Telegram's numeric id, Slack's and Discord's user id. */
  id: string;
  name?: string;
}

/** A stored arrival. */
export interface Letter extends Arrival {
  n: number;
  /** Milliseconds since the epoch. */
  at: number;
  tries: number;
}

/** What became of one attempt to hand a letter over. */
export type Verdict =
  /** The gateway has it: in its own database, where its platform's plugin keeps one. */
  | { kind: "accepted" }
  /** Not now: the listener is not there, overloaded, or did not answer. */
  | { kind: "later"; reason: string }
  /** The gateway will not have this one, however often it comes. */
  | { kind: "refused"; reason: string };

/** A request to a listener of the gateway inside the sandbox. */
export interface Delivery {
  /** `gateway` is the gateway's own HTTP port, `telegram` its webhook listener. */
  listener: "gateway" | "telegram";
  path: string;
  headers: Record<string, string>;
  body: string;
}

export type Delivered =
  | { ok: true; status: number; headers: Record<string, string>; body: string }
  | { ok: false; reason: string };

/** What a channel may use of the Durable Object. */
export interface ChannelHost {
  readonly agentId: string;
  /** The gateway's own token inside the sandbox: what inner signatures are made with. */
  readonly innerToken: string;
  readonly log: Logger;
  fetch: typeof fetch;
  now(): number;
  /**
   * Resolves when stored; wakes the agent when the sender may. False when there was no room for all
   * of them: the platform has to keep them and send them again.
   */
  receive(arrivals: Arrival[]): Promise<boolean>;
  /** What is known of somebody. */
  standing(senderId: string): Circumstances["standing"];
  /** Posts to the sandbox; `later` material when there is none. */
  post(delivery: Delivery): Promise<Delivered>;
  /** Small text of the channel's own, kept in the Durable Object: sequence, offset, fingerprint. */
  read(name: string): string | undefined;
  write(name: string, value: string | undefined): void;
  /** Keeps the Durable Object up for what nobody waits for. */
  waitUntil(work: Promise<unknown>): void;
  /** The channel's state changed: pages that follow are told. */
  changed(): void;
  /** Something was lost or given up: it is noted, and shown as the channel's last problem. */
  alert(text: string): void;
}

/** What is known about an arrival before a channel says whether it is the agent's business. */
export interface Circumstances {
  standing: "approved" | "stranger" | "barred";
  /** The settings name them: they are in the gateway's own list as well. */
  named: boolean;
}

/**
 * `judge`: as any direct message (`admission.ts`). `take`: like a message of somebody who was let in.
 * `keep`: stored for when the agent is up. `drop`: not the agent's business, as if it had not come.
 */
export type Heed = "judge" | "take" | "keep" | "drop";

/** One platform in the Durable Object. Made anew with it: what must last is in `host.write`. */
export interface Channel {
  readonly id: ChannelId;
  readonly policy: DmPolicy;
  /** Ids of the settings that are let in without pairing; `*` lets everybody in. */
  readonly allowFrom: readonly string[];
  /** For platforms that send what the agent has no use for; without it everything is judged. */
  heed?(arrival: Arrival, circumstances: Circumstances): Heed;
  /** Hands one letter to the gateway, which is ready. Has its own deadline. */
  deliver(letter: Letter): Promise<Verdict>;
  /** False when the address of such a socket asks for what is not spoken here. */
  speaks?(url: URL): boolean;
  /** A program of the present sandbox opened a socket to a host of the platform; accepted already. */
  connect?(socket: WebSocket): void;
  /** Shows the sender that something happens while the agent wakes; called every few seconds. */
  signOfLife(letter: Letter): Promise<void>;
  /** Writes to a chat in the bot's name: the reply to strangers, and the test message. */
  say(chat: string, text: string): Promise<{ ok: true } | { ok: false; reason: string }>;
  /** Writes to a person directly; absent where a person's id is also the id of their chat. */
  sayTo?(person: string, text: string): Promise<{ ok: true } | { ok: false; reason: string }>;
  /**
   * Sees to the connection: registers, connects, reconnects. Called when the Durable Object begins
   * and then whenever it asked for; never throws. Answers when to call again, in milliseconds from
   * now, or undefined for never.
   */
  tend(): Promise<number | undefined>;
  /** For the admin page. */
  state(): ChannelState;
}

export interface ChannelState {
  /** `connected` when messages would arrive now. */
  connection: "connected" | "connecting" | "failed";
  /** How messages come in. */
  way: "webhook" | "poll" | "socket";
  /** The bot's name on the platform, once it is known. */
  account?: string;
  /** Where the platform sends to, for a webhook. */
  address?: string;
  error?: { at: number; message: string };
}
