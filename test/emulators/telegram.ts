/**
 * Telegram's Bot API on loopback, as its public reference describes it: requests, files, and the methods
 * that the bot's library uses (https://core.telegram.org/bots/api#making-requests, #getfile), its chats
 * (`telegram-chats.ts`) and its updates (`telegram-updates.ts`).
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { callOf, reply, type BotCall } from "./telegram-call.ts";
import { BOT, TelegramChats, type Person } from "./telegram-chats.ts";
import { TelegramUpdates, type Attempt, type Webhook } from "./telegram-updates.ts";

export const BOT_TOKEN = "424242:AAemulated-bot-token-0123456789abcdef";

/** A call that the bot made. */
export type Recorded = Omit<BotCall, "path">;

export interface TelegramEmulator {
  url: string;
  token: string;
  /** Everything the bot called, oldest first. */
  calls: Recorded[];
  /** The webhook as it was last set; undefined without one. */
  readonly webhook: Webhook | undefined;
  /** Updates that nobody confirmed yet. */
  readonly waiting: number;
  /** What each attempt to reach the webhook came to. */
  readonly attempts: readonly Attempt[];
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

export async function startTelegram(options: TelegramOptions = {}): Promise<TelegramEmulator> {
  const files = new Map<string, { content: Uint8Array; path: string }>();
  const chats = new TelegramChats();
  const updates = new TelegramUpdates(options.route ?? ((url) => url));

  const emulator: TelegramEmulator = {
    url: "",
    token: BOT_TOKEN,
    calls: [],
    attempts: updates.attempts,
    broken: undefined,
    slow: undefined,
    get webhook() {
      return updates.webhook;
    },
    get waiting() {
      return updates.waiting;
    },
    upload(content, name) {
      const id = `file-${files.size + 1}`;
      files.set(id, { content, path: `documents/${id}-${name}` });
      return id;
    },
    send: (update) => updates.add(update),
    write: (from, text) => updates.add({ message: { ...chats.messageBy(from), text } }),
    texts: (chat) => chats.sent.filter((one) => one.chat === chat).map((one) => one.text),
    async until(what, found, deadlineMs = 30_000) {
      const end = Date.now() + deadlineMs;
      for (;;) {
        const value = found();
        if (value !== undefined) return value;
        if (Date.now() > end) {
          const methods = emulator.calls.slice(-20).map(({ method }) => method);
          throw new Error(
            `${what} never came; the bot called ${methods.join(", ")} and said ${JSON.stringify(chats.sent.slice(-4))}`,
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
      updates.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function execute(call: BotCall): Promise<ReturnType<typeof reply>> {
    const { method, params } = call;
    if (method === "getMe") return reply(200, BOT);
    if (method === "getUpdates") return updates.poll(params);
    if (method === "setWebhook") return updates.setWebhook(params);
    if (method === "deleteWebhook") return updates.deleteWebhook();
    if (method === "getWebhookInfo") return updates.webhookInfo();
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
    if (SENDS.test(method)) return chats.send(call);
    if (method === "editMessageText") return chats.edit(call);
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
