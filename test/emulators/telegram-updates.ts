/**
 * The updates of Telegram's Bot API and the two ways to them: long polling (#getupdates) and a webhook
 * (#setwebhook, #getwebhookinfo).
 *
 * Updates wait until they are confirmed: by a later `offset`, or by a 2xx answer of the webhook. A
 * webhook gets one update at a time, again after a pause when it did not answer with 2xx.
 */
import { z } from "zod";
import { reply } from "./telegram-call.ts";

export interface Attempt {
  update: number;
  status: number;
}

const RETRY_MS = [100, 300, 1_000, 3_000] as const;

const hook = z.object({
  url: z.string(),
  secret_token: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,256}$/)
    .optional(),
});
const wanted = z.object({
  offset: z.coerce.number().optional(),
  timeout: z.coerce.number().default(0),
  limit: z.coerce.number().default(100),
});

export type Webhook = z.infer<typeof hook>;
type Params = Record<string, unknown>;
type Reply = ReturnType<typeof reply>;

export class TelegramUpdates {
  /** What each attempt to reach the webhook came to. */
  readonly attempts: Attempt[] = [];
  readonly #route: (url: string) => string;
  readonly #queue: { update_id: number; [field: string]: unknown }[] = [];
  readonly #wakers = new Set<() => void>();
  #webhook: Webhook | undefined;
  #polling: AbortController | undefined;
  #next = 1_000;
  #delivering = false;
  #failures = 0;
  #lastError: { last_error_date: number; last_error_message: string } | undefined;
  #closed = false;

  /** @param route where an address of a webhook really is */
  constructor(route: (url: string) => string) {
    this.#route = route;
  }

  get webhook(): Webhook | undefined {
    return this.#webhook;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** @returns its `update_id` */
  add(update: Params): number {
    this.#next += 1;
    this.#queue.push({ update_id: this.#next, ...update });
    this.#changed();
    return this.#next;
  }

  close(): void {
    this.#closed = true;
    this.#changed();
  }

  setWebhook(params: Params): Reply {
    const parsed = hook.safeParse(params);
    if (!parsed.success) return reply(400, "Bad Request: bad webhook");
    if (parsed.data.url !== "" && !parsed.data.url.startsWith("https://")) {
      return reply(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
    }
    this.#webhook = parsed.data.url === "" ? undefined : parsed.data;
    this.#changed();
    return reply(200, true);
  }

  deleteWebhook(): Reply {
    this.#webhook = undefined;
    this.#changed();
    return reply(200, true);
  }

  webhookInfo(): Reply {
    return reply(200, {
      url: this.#webhook?.url ?? "",
      has_custom_certificate: false,
      pending_update_count: this.#queue.length,
      ...this.#lastError,
    });
  }

  async poll(params: Params): Promise<Reply> {
    const { offset, timeout, limit } = wanted.parse(params);
    if (this.#webhook !== undefined) {
      return reply(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    this.#polling?.abort();
    const mine = new AbortController();
    this.#polling = mine;
    const queue = this.#queue;
    if (offset !== undefined) {
      while (queue[0] !== undefined && queue[0].update_id < offset) queue.shift();
    }
    const end = Date.now() + timeout * 1000;
    for (;;) {
      if (queue.length > 0 || Date.now() >= end || this.#closed || mine.signal.aborted) break;
      const woken = Promise.withResolvers<void>();
      this.#wakers.add(woken.resolve);
      mine.signal.addEventListener("abort", () => woken.resolve(), { once: true });
      const timer = setTimeout(woken.resolve, end - Date.now());
      await woken.promise;
      clearTimeout(timer);
    }
    if (mine.signal.aborted) {
      return reply(
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
      );
    }
    return reply(200, queue.slice(0, limit));
  }

  #changed(): void {
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
    if (!this.#delivering && this.#webhook !== undefined && !this.#closed) void this.#deliver();
  }

  async #deliver(): Promise<void> {
    this.#delivering = true;
    for (;;) {
      const update = this.#queue[0];
      if (this.#webhook === undefined || update === undefined || this.#closed) break;
      const status = await this.#post(this.#webhook, update);
      this.attempts.push({ update: update.update_id, status });
      if (status >= 200 && status < 300) {
        this.#failures = 0;
        if (this.#queue[0] === update) this.#queue.shift();
        continue;
      }
      this.#lastError = {
        last_error_date: Math.floor(Date.now() / 1000),
        last_error_message: `Wrong response from the webhook: ${status}`,
      };
      const wait = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)];
      this.#failures += 1;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    this.#delivering = false;
  }

  /** 0 when the webhook could not be reached. */
  async #post({ url, secret_token: secret }: Webhook, update: object): Promise<number> {
    try {
      const answer = await fetch(this.#route(url), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(secret === undefined ? {} : { "x-telegram-bot-api-secret-token": secret }),
        },
        body: JSON.stringify(update),
        signal: AbortSignal.timeout(60_000),
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  }
}
