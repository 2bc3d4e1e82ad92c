/** What people and the bot write to each other: #message, #sendmessage, #sendphoto, #editmessagetext. */
import { reply, type BotCall } from "./telegram-call.ts";

export const BOT = { id: 424_242, is_bot: true, first_name: "Emulated", username: "emulated_bot" };

export interface Person {
  id: number;
  first_name: string;
  username?: string;
}

export class TelegramChats {
  readonly #sent = new Map<number, { chat: number; text: string }>();
  #nextMessage = 1;

  /** What the bot sent, in its last edited form, oldest first. */
  get sent(): { chat: number; text: string }[] {
    return [...this.#sent.values()];
  }

  /** A private message, without what is in it. */
  messageBy(from: Person): object {
    this.#nextMessage += 1;
    const chat = { ...from, type: "private" };
    const date = Math.floor(Date.now() / 1000);
    return { message_id: this.#nextMessage, date, chat, from: { is_bot: false, ...from } };
  }

  send({ params, method }: BotCall): ReturnType<typeof reply> {
    const chat = Number(params["chat_id"]);
    if (!Number.isSafeInteger(chat)) return reply(400, "Bad Request: chat not found");
    const text = String(params["text"] ?? params["caption"] ?? "");
    if (method === "sendMessage" && text === "") {
      return reply(400, "Bad Request: message text is empty");
    }
    this.#nextMessage += 1;
    this.#sent.set(this.#nextMessage, { chat, text });
    return reply(200, {
      message_id: this.#nextMessage,
      date: Math.floor(Date.now() / 1000),
      chat: { id: chat, type: chat < 0 ? "supergroup" : "private" },
      from: BOT,
      text,
    });
  }

  edit({ params }: BotCall): ReturnType<typeof reply> {
    const id = Number(params["message_id"]);
    const found = this.#sent.get(id);
    if (found === undefined) return reply(400, "Bad Request: message to edit not found");
    const text = String(params["text"] ?? "");
    if (found.text === text) return reply(400, "Bad Request: message is not modified");
    found.text = text;
    const date = Math.floor(Date.now() / 1000);
    return reply(200, { message_id: id, date, chat: { id: found.chat, type: "private" }, text });
  }
}
