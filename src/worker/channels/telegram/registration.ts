/**
 * The webhook as Telegram knows it: registered when the token, the address or what is asked for
 * changed, and looked at once in a while, because somebody else with the token can change it.
 */
import * as z from "zod";
import type { ChannelHost } from "../channel.ts";
import type { BotApi } from "./api.ts";
import { ALLOWED_UPDATES } from "./update.ts";
import { problemOf, waitAfter, type WayState } from "./way.ts";
import { webhookSecret } from "./webhook.ts";

const info = z.object({
  url: z.string(),
  pending_update_count: z.number().optional(),
  last_error_date: z.number().optional(),
  last_error_message: z.string().optional(),
});

const LOOK_EVERY_MS = 15 * 60_000;
/** An error of Telegram's that is older says nothing about the present. */
const RECENT_ERROR_S = 10 * 60;

export class Registration {
  readonly #api: BotApi;
  readonly #host: ChannelHost;
  readonly #token: string;
  readonly #address: string;
  #failures = 0;
  state: WayState = { connection: "connecting" };

  constructor(api: BotApi, host: ChannelHost, token: string, address: string) {
    this.#api = api;
    this.#host = host;
    this.#token = token;
    this.#address = address;
  }

  async tend(): Promise<number> {
    const secret = await webhookSecret(this.#token, this.#host.agentId);
    // The secret follows from the token: as a fingerprint it is hashed once more.
    const wanted = await fingerprint([this.#address, secret, ...ALLOWED_UPDATES]);
    if (this.#host.read("registration") === wanted) {
      const there = await this.#look();
      if (there !== "elsewhere") return there;
    }
    return this.#register(secret, wanted);
  }

  /** How long all is well, or that the webhook is not the one that was registered. */
  async #look(): Promise<number | "elsewhere"> {
    const answer = await this.#api.call("getWebhookInfo");
    if (!answer.ok) return this.#failed(answer);
    const found = info.safeParse(answer.result);
    if (!found.success || found.data.url !== this.#address) return "elsewhere";
    const { last_error_date: at, last_error_message: message } = found.data;
    this.#failures = 0;
    const recent = at !== undefined && this.#host.now() / 1000 - at < RECENT_ERROR_S;
    this.state = {
      connection: "connected",
      ...(recent && message !== undefined ? { error: { at: at * 1000, message } } : {}),
    };
    return LOOK_EVERY_MS;
  }

  async #register(secret: string, wanted: string): Promise<number> {
    const answer = await this.#api.call("setWebhook", {
      url: this.#address,
      secret_token: secret,
      allowed_updates: ALLOWED_UPDATES,
      drop_pending_updates: false,
    });
    if (!answer.ok) return this.#failed(answer);
    this.#failures = 0;
    this.#host.write("registration", wanted);
    this.state = { connection: "connected" };
    return LOOK_EVERY_MS;
  }

  #failed(answer: Parameters<typeof problemOf>[0]): number {
    this.#failures += 1;
    this.state = {
      connection: "failed",
      error: { at: this.#host.now(), message: problemOf(answer) },
    };
    return waitAfter(this.#failures, answer);
  }
}

async function fingerprint(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(parts.join("\n"));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
