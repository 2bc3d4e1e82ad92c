/**
 * Telegram's Bot API on loopback, as its public reference describes it:
 * https://core.telegram.org/bots/api#making-requests, #getting-updates, #getupdates, #setwebhook,
 * #getwebhookinfo, #getfile, #sendmessage, #sendphoto, and https://core.telegram.org/bots/webhooks.
 *
 * Updates wait until they are confirmed: by a later `offset`, or by a 2xx answer of the webhook. A
 * webhook gets one update at a time, again after a pause when it did not answer with 2xx.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { callOf, reply, type BotCall } from "./telegram-call.ts";

export const BOT_TOKEN = "424242:AAemulated-bot-token-0123456789abcdef";

export interface Person {
  id: number;
  first_name: string;
  username?: string;
}

/** A call that the bot made. */
export type Recorded = Omit<BotCall, "path">;

export interface TelegramEmulator {
  url: string;
  token: string;
  /** Everything the bot called, oldest first. */
  calls: Recorded[];
  /** The webhook as it was last set; undefined without one. */
  readonly webhook: { url: string; secret_token?: string | undefined } | undefined;
  /** Updates that nobody confirmed yet. */
  readonly waiting: number;
  /** What each attempt to reach the webhook came to. */
  attempts: { update: number; status: number }[];
  /** Stores a file as if a person had sent it; the answer is its `file_id`. */
  upload(content: Uint8Array, name: string): string;
  /** An update with `update_id` in front; the answer is that id. */
  send(update: Record<string, unknown>): number;
  /** A private message. */
  write(from: Person, text: string): number;
  /** Texts that the bot sent to a chat, in their last edited form. */
  texts(chat: number): string[];
  /** Resolves once `found` answers something. */
  until<T>(what: string, found: () => T | undefined, deadlineMs?: number): Promise<T>;
  /** Answers every call with this status and no result until it is undefined again. */
  broken: number | undefined;
  /** This method is answered so many milliseconds after it took effect. */
  slow: { method: string; ms: number } | undefined;
  /** Cuts every connection and takes none for a while; updates and files stay, as at Telegram. */
  fail(ms: number): Promise<void>;
  close(): Promise<void>;
}

export interface TelegramOptions {
  /** Where an address of a webhook really is; the addresses themselves have to be https. */
  route?: (url: string) => string;
}

const BOT = { id: 424_242, is_bot: true, first_name: "Emulated", username: "emulated_bot" };
const RETRY_MS = [100, 300, 1_000, 3_000] as const;
const PLAIN_TRUE = new Set([
  "sendChatAction",
  "setMyCommands",
  "deleteMyCommands",
  "setMessageReaction",
  "answerCallbackQuery",
  "deleteMessage",
  "pinChatMessage",
  "logOut",
  "close",
]);
const SENDS = /^send(Message|Photo|Document|Voice|Audio|Video|Animation|Sticker)$/;

const hook = z.object({
  url: z.string(),
  secret_token: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,256}$/)
    .optional(),
});

export async function startTelegram(options: TelegramOptions = {}): Promise<TelegramEmulator> {
  const queue: { update_id: number; [field: string]: unknown }[] = [];
  const files = new Map<string, { content: Uint8Array; path: string }>();
  const sent = new Map<number, { chat: number; text: string }>();
  const wakers = new Set<() => void>();
  let webhook: z.infer<typeof hook> | undefined;
  let polling: AbortController | undefined;
  let nextUpdate = 1_000;
  let nextMessage = 1;
  let delivering = false;
  let failures = 0;
  let lastError: { last_error_date: number; last_error_message: string } | undefined;
  let closed = false;

  const emulator: TelegramEmulator = {
    url: "",
    token: BOT_TOKEN,
    calls: [],
    attempts: [],
    broken: undefined,
    slow: undefined,
    get webhook() {
      return webhook;
    },
    get waiting() {
      return queue.length;
    },
    upload(content, name) {
      const id = `file-${files.size + 1}`;
      files.set(id, { content, path: `documents/${id}-${name}` });
      return id;
    },
    send(update) {
      nextUpdate += 1;
      queue.push({ update_id: nextUpdate, ...update });
      changed();
      return nextUpdate;
    },
    write: (from, text) => emulator.send({ message: { ...messageBy(from), text } }),
    texts: (chat) => [...sent.values()].filter((one) => one.chat === chat).map((one) => one.text),
    async until(what, found, deadlineMs = 30_000) {
      const end = Date.now() + deadlineMs;
      for (;;) {
        const value = found();
        if (value !== undefined) return value;
        if (Date.now() > end) {
          const methods = emulator.calls.slice(-20).map(({ method }) => method);
          throw new Error(
            `${what} never came; the bot called ${methods.join(", ")} and said ${JSON.stringify([...sent.values()].slice(-4))}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async fail(ms) {
      const { port } = server.address() as AddressInfo;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await new Promise((resolve) => setTimeout(resolve, ms));
      server.listen(port, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
    },
    async close() {
      closed = true;
      changed();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function messageBy(from: Person) {
    nextMessage += 1;
    const chat = { ...from, type: "private" };
    const date = Math.floor(Date.now() / 1000);
    return { message_id: nextMessage, date, chat, from: { is_bot: false, ...from } };
  }

  function changed(): void {
    for (const wake of wakers) wake();
    wakers.clear();
    if (!delivering && webhook !== undefined && !closed) void deliver();
  }

  async function deliver(): Promise<void> {
    delivering = true;
    for (;;) {
      const update = queue[0];
      if (webhook === undefined || update === undefined || closed) break;
      const status = await post(webhook, update);
      emulator.attempts.push({ update: update.update_id, status });
      if (status >= 200 && status < 300) {
        failures = 0;
        if (queue[0] === update) queue.shift();
        continue;
      }
      lastError = {
        last_error_date: Math.floor(Date.now() / 1000),
        last_error_message: `Wrong response from the webhook: ${status}`,
      };
      const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
      failures += 1;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    delivering = false;
  }

  /** 0 when the webhook could not be reached. */
  async function post(to: z.infer<typeof hook>, update: object): Promise<number> {
    const { secret_token: secret } = to;
    try {
      const answer = await fetch(options.route?.(to.url) ?? to.url, {
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

  async function getUpdates(params: Record<string, unknown>) {
    const { offset, timeout, limit } = z
      .object({
        offset: z.coerce.number().optional(),
        timeout: z.coerce.number().default(0),
        limit: z.coerce.number().default(100),
      })
      .parse(params);
    if (webhook !== undefined) {
      return reply(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    polling?.abort();
    const mine = new AbortController();
    polling = mine;
    if (offset !== undefined) {
      while (queue[0] !== undefined && queue[0].update_id < offset) queue.shift();
    }
    const end = Date.now() + timeout * 1000;
    for (;;) {
      if (queue.length > 0 || Date.now() >= end || closed || mine.signal.aborted) break;
      const woken = Promise.withResolvers<void>();
      wakers.add(woken.resolve);
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

  function sendAny({ params, method }: BotCall) {
    const chat = Number(params["chat_id"]);
    if (!Number.isSafeInteger(chat)) return reply(400, "Bad Request: chat not found");
    const text = String(params["text"] ?? params["caption"] ?? "");
    if (method === "sendMessage" && text === "") {
      return reply(400, "Bad Request: message text is empty");
    }
    nextMessage += 1;
    sent.set(nextMessage, { chat, text });
    return reply(200, {
      message_id: nextMessage,
      date: Math.floor(Date.now() / 1000),
      chat: { id: chat, type: chat < 0 ? "supergroup" : "private" },
      from: BOT,
      text,
    });
  }

  function edit({ params }: BotCall) {
    const id = Number(params["message_id"]);
    const found = sent.get(id);
    if (found === undefined) return reply(400, "Bad Request: message to edit not found");
    const text = String(params["text"] ?? "");
    if (found.text === text) return reply(400, "Bad Request: message is not modified");
    found.text = text;
    const date = Math.floor(Date.now() / 1000);
    return reply(200, { message_id: id, date, chat: { id: found.chat, type: "private" }, text });
  }

  async function execute(call: BotCall): Promise<ReturnType<typeof reply>> {
    const { method, params } = call;
    if (method === "getMe") return reply(200, BOT);
    if (method === "getUpdates") return getUpdates(params);
    if (method === "setWebhook") {
      const parsed = hook.safeParse(params);
      if (!parsed.success) return reply(400, "Bad Request: bad webhook");
      if (parsed.data.url !== "" && !parsed.data.url.startsWith("https://")) {
        return reply(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
      }
      webhook = parsed.data.url === "" ? undefined : parsed.data;
      changed();
      return reply(200, true);
    }
    if (method === "deleteWebhook") {
      webhook = undefined;
      changed();
      return reply(200, true);
    }
    if (method === "getWebhookInfo") {
      return reply(200, {
        url: webhook?.url ?? "",
        has_custom_certificate: false,
        pending_update_count: queue.length,
        ...lastError,
      });
    }
    if (method === "getFile") {
      const file = files.get(String(params["file_id"]));
      if (file === undefined) return reply(400, "Bad Request: invalid file_id");
      const id = String(params["file_id"]);
      const size = file.content.length;
      return reply(200, { file_id: id, file_unique_id: id, file_size: size, file_path: file.path });
    }
    if (method === "getChat") {
      return reply(200, { id: Number(params["chat_id"]), type: "private", first_name: "Somebody" });
    }
    if (SENDS.test(method)) return sendAny(call);
    if (method === "editMessageText") return edit(call);
    if (method === "getMyCommands") return reply(200, []);
    if (PLAIN_TRUE.has(method)) return reply(200, true);
    return reply(404, "Not Found: method not found");
  }

  const server = http.createServer(async (request, response) => {
    const call = await callOf(request);
    const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(call.path);
    if (file !== null) {
      const found = [...files.values()].find((one) => one.path === file[2]);
      if (file[1] !== BOT_TOKEN || found === undefined) return void response.writeHead(404).end();
      response.writeHead(200, { "content-type": "application/octet-stream" });
      return void response.end(found.content);
    }
    const { path, ...recorded } = call;
    emulator.calls.push(recorded);
    const given = /^\/bot([^/]+)\//.exec(path)?.[1];
    const result =
      emulator.broken !== undefined
        ? reply(emulator.broken, "Internal Server Error")
        : given === BOT_TOKEN
          ? await execute(call)
          : reply(/^\d+:/.test(given ?? "") ? 401 : 404, "Unauthorized");
    const { slow } = emulator;
    if (slow?.method === call.method) await new Promise((go) => setTimeout(go, slow.ms));
    response.writeHead(result.status, { "content-type": "application/json" });
    response.end(JSON.stringify(result.body));
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  emulator.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return emulator;
}
