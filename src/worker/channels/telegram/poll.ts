/**
 * The long poll (https://core.telegram.org/bots/api#getupdates), held by the Durable Object where no
 * public address exists. An update counts as taken, and Telegram forgets it, only with the next
 * question, which is asked after it was stored.
 */
import * as z from "zod";
import type { ChannelHost } from "../channel.ts";
import type { BotApi } from "./api.ts";
import { ALLOWED_UPDATES, readUpdate, updateIdOf } from "./update.ts";
import { problemOf, waitAfter, type WayState } from "./way.ts";

const POLL_S = 25;
const POLL_MS = (POLL_S + 15) * 1_000;
const BATCH = 50;
/** Until a full inbox may have room again. */
const FULL_MS = 10_000;
/** The loop is looked after this often: it ends with the Durable Object that runs it. */
const LOOK_EVERY_MS = 30_000;

export class Poll {
  readonly #api: BotApi;
  readonly #host: ChannelHost;
  readonly #bot: string;
  #running = false;
  #failures = 0;
  state: WayState = { connection: "connecting" };

  /** @param bot its id: another bot's updates are counted from elsewhere */
  constructor(api: BotApi, host: ChannelHost, bot: string) {
    this.#api = api;
    this.#host = host;
    this.#bot = bot;
  }

  async tend(): Promise<number> {
    if (!this.#running) {
      this.#running = true;
      this.#host.waitUntil(
        this.#run().finally(() => {
          this.#running = false;
        }),
      );
    }
    return LOOK_EVERY_MS;
  }

  /** Goes on until the Durable Object ends, or storing fails: the next `tend` then begins anew. */
  async #run(): Promise<void> {
    for (;;) {
      const wait = await this.#ask();
      if (wait > 0) await pause(wait);
    }
  }

  /** @returns how long to wait before the next question, in milliseconds */
  async #ask(): Promise<number> {
    const note = `offset:${this.#bot}`;
    const offset = this.#host.read(note);
    const answer = await this.#api.call(
      "getUpdates",
      {
        ...(offset === undefined ? {} : { offset: Number(offset) }),
        timeout: this.state.connection === "connected" ? POLL_S : 0,
        limit: BATCH,
        allowed_updates: ALLOWED_UPDATES,
      },
      { ms: POLL_MS },
    );
    if (!answer.ok) return this.#failed(answer);
    this.#failures = 0;
    const connected = this.state.connection === "connected";
    this.state = { connection: "connected" };
    if (!connected) this.#host.changed();
    const updates = z.array(z.unknown()).safeParse(answer.result);
    if (!updates.success) return 0;
    const arrivals = updates.data.flatMap((update) => {
      const read = readUpdate(JSON.stringify(update), this.#bot);
      return read.kind === "arrival" ? [read.arrival] : [];
    });
    if (arrivals.length > 0 && !(await this.#host.receive(arrivals))) return FULL_MS;
    const last = updates.data.map(updateIdOf).findLast((id) => id !== undefined);
    // Kept only until Telegram has heard it: after a quiet week it may count from a lower number.
    if (last !== undefined) this.#host.write(note, String(last + 1));
    else if (offset !== undefined) this.#host.write(note, undefined);
    return 0;
  }

  async #failed(answer: Parameters<typeof problemOf>[0]): Promise<number> {
    this.#failures += 1;
    const error = { at: this.#host.now(), message: problemOf(answer) };
    this.state = { connection: "failed", error };
    this.#host.changed();
    if (answer.code === 409) {
      // A webhook of before is in the way; what waits behind it stays.
      const removed = await this.#api.call("deleteWebhook", { drop_pending_updates: false });
      if (removed.ok && this.#failures === 1) return 0;
    }
    return waitAfter(this.#failures, answer);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
