/**
 * Telegram's updates (https://core.telegram.org/bots/api#update), as far as the inbox must know them:
 * who wrote, where, and what a person would recognise. Everything else passes unread.
 */
import * as z from "zod";
import type { Arrival } from "../channel.ts";

/** What the gateway handles; Telegram sends nothing else. */
export const ALLOWED_UPDATES = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "callback_query",
  "message_reaction",
  "my_chat_member",
  "poll_answer",
] as const;

const user = z.object({
  id: z.number().int(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  username: z.string().optional(),
});
const chat = z.object({ id: z.number().int(), type: z.string() });
const message = z.object({
  from: user.optional(),
  chat,
  text: z.string().optional(),
  caption: z.string().optional(),
});
const update = z.object({
  update_id: z.number().int().nonnegative(),
  message: message.optional(),
  edited_message: message.optional(),
  channel_post: message.optional(),
  edited_channel_post: message.optional(),
  callback_query: z
    .object({ from: user, data: z.string().optional(), message: z.object({ chat }).optional() })
    .optional(),
  message_reaction: z.object({ user: user.optional(), chat }).optional(),
  my_chat_member: z.object({ from: user, chat }).optional(),
  poll_answer: z.object({ user: user.optional() }).optional(),
});

export type ReadUpdate =
  | { kind: "arrival"; arrival: Arrival }
  /** An update of a kind that was not asked for: nothing here is for the agent. */
  | { kind: "unknown" }
  | { kind: "malformed" };

/**
 * @param text the update exactly as Telegram wrote it
 * @param bot the bot's id: `update_id` is unique for one bot only
 */
export function readUpdate(text: string, bot: string): ReadUpdate {
  const parsed = update.safeParse(parseJson(text));
  if (!parsed.success) return { kind: "malformed" };
  const { data } = parsed;
  if (ALLOWED_UPDATES.every((kind) => data[kind] === undefined)) return { kind: "unknown" };
  const { from, place, preview } = subjectOf(data);
  const kind = place === undefined ? "other" : place.type === "private" ? "direct" : "group";
  const arrival: Arrival = {
    channel: "telegram",
    eventId: `${bot}:${data.update_id}`,
    ...(from === undefined ? {} : { sender: { id: String(from.id), name: nameOf(from) } }),
    ...(place === undefined ? {} : { chat: String(place.id) }),
    kind,
    preview,
    body: text,
  };
  return { kind: "arrival", arrival };
}

export function updateIdOf(value: unknown): number | undefined {
  return z.object({ update_id: z.number().int() }).safeParse(value).data?.update_id;
}

interface Subject {
  from?: z.infer<typeof user>;
  place?: z.infer<typeof chat>;
  preview: string;
}

function subjectOf(data: z.infer<typeof update>): Subject {
  const written =
    data.message ?? data.edited_message ?? data.channel_post ?? data.edited_channel_post;
  if (written !== undefined) {
    return {
      ...by(written.from),
      place: written.chat,
      preview: written.text ?? written.caption ?? "",
    };
  }
  const { callback_query: pressed, message_reaction: reaction, my_chat_member: member } = data;
  if (pressed !== undefined) {
    const place = pressed.message?.chat;
    return {
      from: pressed.from,
      ...(place === undefined ? {} : { place }),
      preview: `[${pressed.data ?? ""}]`,
    };
  }
  if (reaction !== undefined) return { ...by(reaction.user), place: reaction.chat, preview: "" };
  if (member !== undefined) return { from: member.from, place: member.chat, preview: "" };
  return { ...by(data.poll_answer?.user), preview: "" };
}

function by(who: z.infer<typeof user> | undefined): Pick<Subject, "from"> {
  return who === undefined ? {} : { from: who };
}

function nameOf({ first_name: first, last_name: last, username }: z.infer<typeof user>): string {
  const full = [first, last].filter((part) => part !== undefined && part !== "").join(" ");
  return (full === "" ? (username ?? "") : full).slice(0, 80);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
