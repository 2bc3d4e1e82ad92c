/**
 * Telegram in the Durable Object. With a public `WORKER_URL` Telegram sends its updates to the
 * Worker; without one the Durable Object asks for them itself. Both feed the same inbox.
 */
import * as z from "zod";
import type { Arrival, Channel, ChannelHost, ChannelState, Letter, Verdict } from "../channel.ts";
import type { Circumstances, Heed } from "../channel.ts";
import { TELEGRAM_WEBHOOK_PATH } from "../gateway-config.ts";
import { BotApi, type BotReply } from "./api.ts";
import { heed } from "./heed.ts";
import { Poll } from "./poll.ts";
import { Registration } from "./registration.ts";
import { botId, type TelegramSettings } from "./settings.ts";
import { webhookPath } from "./webhook.ts";

const me = z.object({ username: z.string() });

/** @param origin the public address of the Worker; undefined on one's own machine */
export class TelegramChannel implements Channel {
  readonly id = "telegram";
  readonly policy: TelegramSettings["policy"];
  readonly allowFrom: readonly string[];
  readonly #host: ChannelHost;
  readonly #api: BotApi;
  readonly #way: Registration | Poll;
  readonly #address: string | undefined;
  readonly #bot: string;
  #account: string | undefined;

  constructor(settings: TelegramSettings, host: ChannelHost, origin: string | undefined) {
    this.policy = settings.policy;
    this.allowFrom = settings.allowFrom;
    this.#host = host;
    this.#api = new BotApi(settings, (input, init) => host.fetch(input, init));
    this.#bot = botId(settings);
    this.#account = host.read(this.#accountNote);
    this.#address = origin === undefined ? undefined : `${origin}${webhookPath(host.agentId)}`;
    this.#way =
      this.#address === undefined
        ? new Poll(this.#api, host, this.#bot)
        : new Registration(this.#api, host, settings.token, this.#address);
  }

  heed(arrival: Arrival, circumstances: Circumstances): Heed {
    return heed(arrival, circumstances, this);
  }

  /** The gateway answers after it has written the update to its own database, and says so. */
  async deliver(letter: Letter): Promise<Verdict> {
    const { innerToken, post } = this.#host;
    const answer = await post({
      listener: "telegram",
      path: TELEGRAM_WEBHOOK_PATH,
      headers: {
        "content-type": "application/json",
        "x-telegram-bot-api-secret-token": innerToken,
      },
      body: letter.body,
    });
    if (!answer.ok) return { kind: "later", reason: answer.reason };
    if (answer.status === 200 && answer.headers["x-openclaw-delivery-accepted"] === "durable") {
      return { kind: "accepted" };
    }
    const reason = `The gateway answered ${answer.status}: ${answer.body.trim().slice(0, 200)}`;
    return { kind: answer.status === 400 || answer.status === 413 ? "refused" : "later", reason };
  }

  async signOfLife({ chat, kind }: Letter): Promise<void> {
    if (chat === undefined || kind === "other") return;
    await this.#api.call("sendChatAction", { chat_id: chat, action: "typing" });
  }

  async say(chat: string, text: string): Promise<{ ok: true } | { ok: false; reason: string }> {
    const sent = await this.#api.call("sendMessage", { chat_id: chat, text });
    return sent.ok ? { ok: true } : { ok: false, reason: sent.reason };
  }

  async tend(): Promise<number | undefined> {
    if (this.#account === undefined) this.#learn(await this.#api.call("getMe"));
    return this.#way.tend();
  }

  state(): ChannelState {
    const { connection, error } = this.#way.state;
    return {
      connection,
      way: this.#address === undefined ? "poll" : "webhook",
      ...(this.#account === undefined ? {} : { account: `@${this.#account}` }),
      ...(this.#address === undefined ? {} : { address: this.#address }),
      ...(error === undefined ? {} : { error }),
    };
  }

  #learn(answer: BotReply): void {
    const parsed = me.safeParse(answer.ok ? answer.result : undefined);
    if (!parsed.success) return;
    this.#account = parsed.data.username;
    this.#host.write(this.#accountNote, this.#account);
  }

  /** Another token may be another bot. */
  get #accountNote(): string {
    return `account:${this.#bot}`;
  }
}
