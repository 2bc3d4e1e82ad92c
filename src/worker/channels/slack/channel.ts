/**
 * Slack in the Durable Object. Events come over HTTP to the Worker or over Socket Mode's connection,
 * which is held here; both feed the same inbox, and both reach the gateway as signed HTTP events.
 */
import * as z from "zod";
import type { Arrival, Channel, ChannelHost, ChannelState, Letter, Verdict } from "../channel.ts";
import type { Circumstances, Delivered, Delivery, Heed } from "../channel.ts";
import { SLACK_EVENTS_PATH } from "../gateway-config.ts";
import { SlackApi, type SlackReply } from "./api.ts";
import { eventCallback } from "./event.ts";
import { heed } from "./heed.ts";
import { KeptList } from "./kept-list.ts";
import type { SlackSettings } from "./settings.ts";
import { signatureOf } from "./signature.ts";
import { stampedForm } from "./stamp.ts";
import { SlackSocket } from "./socket.ts";
import { slackWebhookPath } from "./webhook.ts";

const identity = z.object({ user: z.string(), team: z.string().optional() });

const LOOK_EVERY_MS = 15 * 60_000;
const RETRY_MS = 60_000;
/** How long the plugin may take to listen, and how often it is tried. */
const PLUGIN_MS = 60_000;
const PLUGIN_LOOK_MS = 500;
/** A reaction on the message that waits: "seen, but not yet at work". */
const WAKING = "hourglass_flowing_sand";
const WAKING_TEXT = "Waking up… (正在唤醒…)";

/** @param origin the public address of the Worker; undefined on one's own machine */
export class SlackChannel implements Channel {
  readonly id = "slack";
  readonly policy: SlackSettings["policy"];
  readonly allowFrom: readonly string[];
  readonly #settings: SlackSettings;
  readonly #host: ChannelHost;
  readonly #api: SlackApi;
  readonly #socket: SlackSocket | undefined;
  readonly #address: string | undefined;
  /** Threads in which the agent was spoken to: what is written there goes on speaking to it. */
  readonly #threads: KeptList;
  /** Letters whose message carries the reaction, also after this object is made anew. */
  readonly #waking: KeptList;
  /** Letters whose sender was already shown a sign of life. */
  readonly #signed = new Set<number>();
  #account: string | undefined;
  #checked: Pick<ChannelState, "connection" | "error"> = { connection: "connecting" };

  constructor(settings: SlackSettings, host: ChannelHost, origin: string | undefined) {
    this.policy = settings.policy;
    this.allowFrom = settings.allowFrom;
    this.#settings = settings;
    this.#host = host;
    this.#api = new SlackApi(settings, (input, init) => host.fetch(input, init));
    this.#account = host.read("account");
    this.#address =
      origin === undefined || settings.signingSecret === undefined
        ? undefined
        : `${origin}${slackWebhookPath(host.agentId)}`;
    this.#socket =
      settings.appToken === undefined ? undefined : new SlackSocket(this.#api, host, settings);
    this.#threads = new KeptList(host, "threads");
    this.#waking = new KeptList(host, "waking");
  }

  heed(arrival: Arrival, circumstances: Circumstances): Heed {
    return heed(arrival, circumstances, this.#settings.openChannels, this.#threads);
  }

  /**
   * The gateway answers an event after it has written it to its own database. A command or an interaction
   * it answers when it begins with it: what is killed then is lost.
   */
  async deliver(letter: Letter): Promise<Verdict> {
    const timestamp = String(Math.floor(this.#host.now() / 1000));
    const isEvent = letter.headers?.["content-type"] === "application/json";
    const body = isEvent ? letter.body : await stampedForm(letter.body, this.#settings.botToken);
    const answer = await this.#posted({
      listener: "gateway",
      path: SLACK_EVENTS_PATH,
      headers: {
        ...letter.headers,
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": await signatureOf(timestamp, body, this.#host.innerToken),
      },
      body,
    });
    if (!answer.ok) return { kind: "later", reason: answer.reason };
    // An address that nothing listens at shows the gateway's page.
    if (answer.status === 200 && /^(\{|$)/.test(answer.body)) {
      this.#host.waitUntil(this.#handedOver(letter, answer.body));
      return { kind: "accepted" };
    }
    const reason = `The gateway answered ${answer.status}: ${answer.body.trim().slice(0, 200)}`;
    // What nothing in the gateway listens for; before its plugin is up the same has a text.
    const unheard = !isEvent && answer.status === 404 && answer.body === "";
    const refused = unheard || answer.status === 400 || answer.status === 413;
    return { kind: refused ? "refused" : "later", reason };
  }

  /** The gateway is ready a few seconds before its plugin listens: that is no failed attempt. */
  async #posted(delivery: Delivery): Promise<Delivered> {
    const { post, now } = this.#host;
    for (const end = now() + PLUGIN_MS; ;) {
      const answer = await post(delivery);
      const early = answer.ok && answer.status === 404 && answer.body !== "";
      if (!early || now() > end) return answer;
      await scheduler.wait(PLUGIN_LOOK_MS);
    }
  }

  async signOfLife(letter: Letter): Promise<void> {
    if (this.#signed.has(letter.n)) return;
    this.#signed.add(letter.n);
    const responseUrl = responseUrlOf(letter);
    if (responseUrl !== undefined) {
      return this.#api.respond(responseUrl, { response_type: "ephemeral", text: WAKING_TEXT });
    }
    const message = messageOf(letter);
    if (message === undefined) return;
    this.#waking.add(String(letter.n));
    await this.#api.call("reactions.add", { ...message, name: WAKING });
  }

  async say(chat: string, text: string): Promise<{ ok: true } | { ok: false; reason: string }> {
    const sent = await this.#api.call("chat.postMessage", { channel: chat, text });
    return sent.ok ? { ok: true } : { ok: false, reason: sent.reason };
  }

  async tend(): Promise<number | undefined> {
    const due = await this.#socket?.tend();
    if (this.#checked.connection === "connected" && due !== undefined) return due;
    const answer = await this.#api.call("auth.test");
    this.#learn(answer);
    const wait = answer.ok ? LOOK_EVERY_MS : Math.max(RETRY_MS, answer.retryAfterMs ?? 0);
    return Math.min(wait, due ?? wait);
  }

  state(): ChannelState {
    // Without the bot's token nothing could be answered, however well the messages come in.
    const lacking = this.#checked.connection === "failed" ? this.#checked : undefined;
    const { connection, error } = lacking ?? this.#socket?.state ?? this.#checked;
    return {
      connection,
      way: this.#socket === undefined ? "webhook" : "socket",
      ...(this.#account === undefined ? {} : { account: this.#account }),
      ...(this.#address === undefined ? {} : { address: this.#address }),
      ...(error === undefined ? {} : { error }),
    };
  }

  #learn(answer: SlackReply): void {
    if (!answer.ok) {
      this.#checked = {
        connection: "failed",
        error: { at: this.#host.now(), message: problemOf(answer) },
      };
      return;
    }
    this.#checked = { connection: "connected" };
    const who = identity.safeParse(answer.result);
    if (!who.success) return;
    const { user, team } = who.data;
    this.#account = team === undefined ? `@${user}` : `@${user} (${team})`;
    this.#host.write("account", this.#account);
  }

  /** What the gateway answered at once has nowhere to go but the address for answers. */
  async #handedOver(letter: Letter, said: string): Promise<void> {
    this.#signed.delete(letter.n);
    const responseUrl = responseUrlOf(letter);
    if (responseUrl !== undefined && said.startsWith("{")) {
      await this.#api.respond(responseUrl, z.looseObject({}).parse(JSON.parse(said)));
    }
    const message = messageOf(letter);
    if (message === undefined || !this.#waking.has(String(letter.n))) return;
    this.#waking.remove(String(letter.n));
    await this.#api.call("reactions.remove", { ...message, name: WAKING });
  }
}

function problemOf(answer: Extract<SlackReply, { ok: false }>): string {
  return answer.error === undefined
    ? answer.reason
    : `SLACK_BOT_TOKEN was refused: ${answer.reason}`;
}

/** The message that a letter is about, as Slack names it. */
function messageOf({ body, headers }: Letter): { channel: string; timestamp: string } | undefined {
  if (headers?.["content-type"] !== "application/json") return undefined;
  const { event } = eventCallback.safeParse(JSON.parse(body)).data ?? {};
  return event?.channel === undefined || event.ts === undefined
    ? undefined
    : { channel: event.channel, timestamp: event.ts };
}

/** Of a slash command; an interaction shows by itself that something happens. */
function responseUrlOf({ body, headers }: Letter): string | undefined {
  if (headers?.["content-type"] === "application/json") return undefined;
  return new URLSearchParams(body).get("response_url") ?? undefined;
}
