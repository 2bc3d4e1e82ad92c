/**
 * What the gateway took lately. It marks a message as done a moment before it has written it into the
 * conversation; killed in between, it has it nowhere. The message is still here then, and is handed over
 * again (`agent-home/lost-messages.ts` finds out which).
 *
 * This process outlives the gateway. What one in an earlier sandbox took comes with the boot document, and is
 * handed over again by who sent it.
 */
import * as z from "zod";
import type { BootDocument } from "../protocol/boot.ts";
import type { DeliverRequest } from "../protocol/control.ts";
import type { TakenMessage } from "./agent-home/task.ts";

/** The gateway is behind by minutes at the most, also after restarts. */
const KEPT_MS = 15 * 60_000;
const MOST = 200;
const MOST_CHARS = 2_000_000;
const MOST_TEXT = 200;

interface Kept {
  message: TakenMessage;
  request: DeliverRequest;
  /** When the gateway took it last. */
  at: number;
}

type Before = NonNullable<BootDocument["handedOver"]>;

export class HandedOver {
  #kept: Kept[] = [];
  #before: TakenMessage[];

  /** @param before what gateways of earlier sandboxes took */
  constructor(before: Before = []) {
    this.#before = before.flatMap(({ update, at }) => messageOf(update, at) ?? []);
  }

  /**
   * The gateway said that it has it. What is no text of a person is not kept. Of one that it took before, too, the first
   * time counts: its conversation may have it since then.
   */
  took(request: DeliverRequest, now: number): void {
    if (request.listener !== "telegram") return;
    const message = messageOf(request.body, now);
    if (message === undefined) return;
    const isSame = (other: TakenMessage) => other.eventId === message.eventId;
    const known = [...this.#before, ...this.#kept.map((one) => one.message)].filter(isSame);
    message.takenAt = Math.min(now, ...known.map(({ takenAt }) => takenAt));
    this.#before = this.#before.filter((one) => !isSame(one));
    this.#kept = this.#kept.filter((one) => !isSame(one.message));
    this.#kept.push({ message, request, at: now });
    this.#forgetOld(now);
  }

  /** Oldest first. What came before this sandbox is in it. */
  messages(now: number): TakenMessage[] {
    this.#forgetOld(now);
    return [...this.#before, ...this.#kept.map(({ message }) => message)];
  }

  /** What was handed over as these events, in the order in which it was. */
  requests(eventIds: readonly string[]): DeliverRequest[] {
    return this.#kept
      .filter(({ message }) => eventIds.includes(message.eventId))
      .map(({ request }) => request);
  }

  #forgetOld(now: number): void {
    let chars = 0;
    const young = this.#kept
      .filter(({ at }) => now - at < KEPT_MS)
      .slice(-MOST)
      .toReversed()
      .filter(({ request }) => (chars += request.body.length) <= MOST_CHARS);
    this.#kept = young.toReversed();
  }
}

/** https://core.telegram.org/bots/api#update, as far as it is needed. */
const telegramUpdate = z.object({
  update_id: z.number().int(),
  message: z.object({
    message_id: z.number().int(),
    chat: z.object({ id: z.number().int() }),
    from: z.object({ id: z.number().int() }),
    // Pictures may come several to a turn, of which the conversation names one.
    text: z.string(),
  }),
});

/** A command leaves no message in the conversation, so nobody could tell that it was done. */
const COMMAND = /^\s*\//;

function messageOf(body: string, now: number): TakenMessage | undefined {
  const update = telegramUpdate.safeParse(parseJson(body));
  if (!update.success || COMMAND.test(update.data.message.text)) return undefined;
  const { update_id: id, message } = update.data;
  const text = message.text.trim().split("\n", 1)[0]?.slice(0, MOST_TEXT) ?? "";
  if (text === "") return undefined;
  return {
    channel: "telegram",
    eventId: String(id),
    messageId: String(message.message_id),
    chatId: String(message.chat.id),
    senderId: String(message.from.id),
    text,
    takenAt: now,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
