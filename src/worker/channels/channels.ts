/**
 * The channels of one agent, in its Durable Object: what comes in, who may, what is handed over.
 * The door between the webhooks, the admin API and the platforms.
 *
 * Fails closed for people (who is not known to be let in is a stranger) and towards keeping for
 * messages: nothing is forgotten that a committed backup does not hold.
 */
import { RpcTarget } from "cloudflare:workers";
import type { BootDocument } from "../../protocol/boot.ts";
import type { ChannelsView } from "../../protocol/admin-channels.ts";
import type { ChannelId } from "../../protocol/channels.ts";
import type { Done } from "../done.ts";
import { ApprovalsUnderWay } from "./approving.ts";
import type { ChannelCalls, Received } from "./calls.ts";
import type { Arrival, Channel, ChannelHost, Letter } from "./channel.ts";
import { Deliveries } from "./deliveries.ts";
import { handedOver } from "./handed-over.ts";
import { hostOf } from "./host.ts";
import { Intake } from "./intake.ts";
import { Pairing } from "./pairing.ts";
import type { ChannelsParts } from "./parts.ts";
import { Crowd } from "./store/crowd.ts";
import { KnownEvents } from "./store/known-events.ts";
import { LastSeen } from "./store/last-seen.ts";
import { Letters } from "./store/letters.ts";
import { Notes } from "./store/notes.ts";
import { migrateChannels } from "./store/schema.ts";
import { Senders } from "./store/senders.ts";
import { Tending } from "./tending.ts";
import { viewOf } from "./view.ts";
import { Waking } from "./waking.ts";

const MAX_SHOWN = 200;
/** Starts are counted from 1. */
const NO_START = 0;
/** A text of Telegram's has at most 4096 characters, each of which may be escaped. */
const HANDED_OVER = { limit: 50, maxChars: 30_000 };

export class ChannelsRoom extends RpcTarget implements ChannelCalls {
  readonly #parts: ChannelsParts;
  readonly #letters: Letters;
  readonly #senders: Senders;
  readonly #notes: Notes;
  readonly #channels: ReadonlyMap<ChannelId, Channel>;
  readonly #deliveries: Deliveries;
  readonly #pairing: Pairing;
  readonly #last: LastSeen;
  readonly #intake: Intake;
  readonly #waking: Waking;
  readonly #tending: Tending;

  constructor(parts: ChannelsParts) {
    super();
    this.#parts = parts;
    const { sql, agentId } = parts;
    migrateChannels(sql);
    const known = new KnownEvents(sql, agentId);
    this.#letters = new Letters(sql, agentId, known);
    this.#senders = new Senders(sql, agentId);
    this.#notes = new Notes(sql, agentId);
    this.#last = new LastSeen(this.#notes);
    const channels = parts.open((channel) =>
      hostOf(channel, parts, {
        ...{ notes: this.#notes, last: this.#last },
        standing: (id) => this.#standing(channel, id),
        receive: (arrivals) => this.receive(arrivals),
      }),
    );
    this.#channels = new Map(channels.map((channel) => [channel.id, channel]));
    const underWay = new ApprovalsUnderWay(this.#notes);
    this.#pairing = new Pairing(parts.call, this.#senders, underWay, parts.now);
    this.#deliveries = new Deliveries({
      letters: this.#letters,
      channels: this.#channels,
      takingStart: () => parts.takingStart(),
      look: () => parts.look(),
      mark: () => parts.mark(),
      now: () => parts.now(),
      waitUntil: (work) => parts.waitUntil(work),
      moved: (letter, outcome, reason) => this.#moved(letter, outcome, reason),
    });
    this.#intake = new Intake({
      ...{ letters: this.#letters, known, crowd: new Crowd(sql, agentId) },
      ...{ senders: this.#senders, last: this.#last, channels: this.#channels, parts },
    });
    this.#waking = new Waking({
      ...{ letters: this.#letters, channels: this.#channels },
      wake: () => parts.wake(),
      waitUntil: (work) => parts.waitUntil(work),
      woken: () => this.#deliveries.kick(),
    });
    this.#tending = new Tending(channels, parts);
  }

  /** Stores what comes in; the caller may then tell the platform that it was taken. */
  async receive(arrivals: Arrival[]): Promise<Received> {
    const received: Received = { stored: 0, known: 0, full: 0, turnedAway: 0 };
    for (const arrival of arrivals) received[this.#intake.take(arrival)] += 1;
    if (received.stored > 0) {
      this.attend();
      this.#parts.changed();
    }
    return received;
  }

  /** Letters that the agent has to be awake for. */
  get wakeful(): boolean {
    return this.#letters.waking(1, this.#channels.keys()).length > 0;
  }

  /**
   * The agent must not be put to sleep: something is on its way to it. What came on a platform that is
   * not set up any more waits until it is.
   */
  get busy(): boolean {
    return [...this.#channels.keys()].some((id) => this.#letters.count("waiting", id) > 0);
  }

  /** When `tend` wants to be called, in milliseconds since the epoch. */
  get tendAt(): number | undefined {
    return this.#tending.at;
  }

  get counts(): { waiting: number; dead: number } {
    return { waiting: this.#letters.count("waiting"), dead: this.#letters.count("dead") };
  }

  /** Hands over what waits when the gateway is ready, or wakes the agent for it. */
  attend(): void {
    if (this.#parts.readyStart() !== undefined) return this.#deliveries.kick();
    if (this.wakeful) this.#waking.begin();
  }

  /** Committed backups of this start hold every acknowledgement up to `mark`. */
  kept(startGeneration: number, mark: number): void {
    this.#letters.kept(startGeneration, mark);
  }

  /** The sandbox is gone, and with it what it took and no committed backup is known to hold. */
  lost(): void {
    this.#letters.takeBack(NO_START, this.#parts.now());
  }

  /** For the next sandbox, whose gateway may have marks of them and nothing else (`docs/channels.md`). */
  get handedOver(): NonNullable<BootDocument["handedOver"]> {
    return handedOver(this.#letters.once("telegram", HANDED_OVER));
  }

  /** A socket that the present sandbox opened to a platform; undefined when nobody takes it here. */
  connect(channel: string, url: URL): Response | undefined {
    const found = [...this.#channels.values()].find(({ id }) => id === channel);
    if (found?.connect === undefined || found.speaks?.(url) === false) return undefined;
    const [outer, inner] = Object.values(new WebSocketPair());
    if (outer === undefined || inner === undefined) return undefined;
    inner.accept();
    found.connect(inner);
    return new Response(null, { status: 101, webSocket: outer });
  }

  /** Sees to every channel's connection. */
  tend(): Promise<void> {
    return this.#tending.now();
  }

  async overview(): Promise<ChannelsView> {
    const pairing = await this.#pairing.list(this.#parts.readyStart() !== undefined);
    return {
      channels: [...this.#channels.values()].map((channel) =>
        viewOf(channel, this.#letters, this.#last),
      ),
      letters: this.#letters.list(MAX_SHOWN),
      senders: this.#senders.approved(),
      pairing,
    };
  }

  async approve(channel: ChannelId, requestId: string, by: string): Promise<Done> {
    return this.#changing(this.#pairing.approve(channel, requestId, by));
  }

  async dismiss(channel: ChannelId, requestId: string): Promise<Done> {
    return this.#changing(this.#pairing.dismiss(channel, requestId));
  }

  /** The gateway knows no way to take its own leave back, so it is taken here. */
  async bar(channel: ChannelId, id: string, barred: boolean): Promise<Done> {
    return this.#changing(Promise.resolve(this.#pairing.bar(channel, id, barred)));
  }

  async retryLetter(n: number): Promise<Done> {
    if (!this.#letters.retry(n, this.#parts.now())) return NO_LETTER;
    this.attend();
    this.#parts.changed();
    return { ok: true };
  }

  async dropLetter(n: number): Promise<Done> {
    if (!this.#letters.drop(n)) return NO_LETTER;
    this.#parts.changed();
    return { ok: true };
  }

  /** A message in the bot's own name, to see that the way out works. */
  async test(channel: ChannelId, chat: string, text: string): Promise<Done> {
    const found = this.#channels.get(channel);
    if (found === undefined) return { ok: false, reason: `${channel} is not set up.` };
    return found.say(chat, text);
  }

  /** The agent wrote to a chat, or the platform did not take it. */
  async spoke(channel: ChannelId, problem?: string): Promise<void> {
    if (!this.#channels.has(channel)) return;
    const now = this.#parts.now();
    if (problem === undefined) this.#last.sent(channel, now);
    else this.#last.failed(channel, now, problem);
    this.#parts.changed();
  }

  /** To the owner, on the first of their channels that takes it. @returns whether one did */
  async tellOwner(text: string): Promise<boolean> {
    for (const { channel: id, id: person } of this.#parts.owners) {
      const channel = this.#channels.get(id);
      const said = await (channel?.sayTo?.(person, text) ?? channel?.say(person, text));
      if (said?.ok === true) return true;
    }
    return false;
  }

  #moved(letter: Letter, outcome: "given" | "again" | "dead", reason = ""): void {
    const { log, now } = this.#parts;
    const { channel, n, tries } = letter;
    if (outcome !== "given") {
      log.warn("letter not delivered", { channel, n, tries, outcome, reason });
      this.#last.failed(channel, now(), reason);
    } else {
      this.#last.recovered(channel);
    }
    if (outcome === "dead") {
      this.#parts.alert(`Message ${n} of ${channel} could not be delivered: ${reason}`);
    }
    this.#parts.changed();
  }

  #standing(channel: ChannelId, senderId: string): ReturnType<ChannelHost["standing"]> {
    const found = this.#channels.get(channel);
    return found === undefined ? "stranger" : this.#intake.standing(found, senderId);
  }

  async #changing(work: Promise<Done>): Promise<Done> {
    const result = await work;
    this.#parts.changed();
    return result;
  }
}

const NO_LETTER: Done = { ok: false, reason: "There is no such message." };
