/**
 * The inner event of Slack's Events API (https://docs.slack.dev/apis/events-api/), as far as the
 * inbox must know it: who did it, where, whether the bot itself did, whether the bot is meant.
 */
import * as z from "zod";
import type { Arrival } from "../channel.ts";

const text = z.string().optional().catch(undefined);
const inner = z
  .object({
    user: text,
    bot_id: text,
    app_id: text,
    text,
    thread_ts: text,
  })
  .optional()
  .catch(undefined);

export const eventCallback = z.object({
  type: z.literal("event_callback"),
  event_id: z.string().min(1).max(100),
  api_app_id: text,
  authorizations: z
    .array(z.object({ user_id: text, is_bot: z.boolean().optional().catch(undefined) }))
    .optional()
    .catch(undefined),
  event: z.object({
    type: z.string(),
    subtype: text,
    // Some events carry a whole user or channel here.
    user: text,
    channel: text,
    channel_type: text,
    bot_id: text,
    app_id: text,
    text,
    ts: text,
    thread_ts: text,
    parent_user_id: text,
    inviter: text,
    item: z.object({ channel: text }).optional().catch(undefined),
    files: z
      .array(z.object({ name: text }))
      .optional()
      .catch(undefined),
    message: inner,
    previous_message: inner,
  }),
});

export type EventCallback = z.infer<typeof eventCallback>;

/** Subtypes of `message` that a person wrote; all others tell that something was changed. */
const WRITTEN = new Set([
  undefined,
  "file_share",
  "me_message",
  "thread_broadcast",
  "bot_message",
  "document_mention",
]);

export function isWritten({ event }: EventCallback): boolean {
  return event.type === "app_mention" || (event.type === "message" && WRITTEN.has(event.subtype));
}

/**
 * What the bot said, edited or did: Slack tells it about that as well. Its own arrival in a channel
 * is somebody's invitation.
 */
export function isOwn({ event, api_app_id: app, authorizations }: EventCallback): boolean {
  if (event.type === "member_joined_channel") return false;
  const bots = botsOf(authorizations);
  const by = (one: {
    user?: string | undefined;
    bot_id?: string | undefined;
    app_id?: string | undefined;
  }) =>
    (one.user !== undefined && bots.includes(one.user)) ||
    (one.bot_id !== undefined && app !== undefined && one.app_id === app);
  return [event, event.message, event.previous_message].some((one) => one !== undefined && by(one));
}

/** Whether a message in a channel speaks to the bot: by name, or as a reply to it. */
export function isAddressed({ event, authorizations }: EventCallback): boolean {
  if (event.type === "app_mention") return true;
  const bots = botsOf(authorizations);
  return (
    bots.some((bot) => event.text?.includes(`<@${bot}>`) === true) ||
    (event.parent_user_id !== undefined && bots.includes(event.parent_user_id))
  );
}

/** The thread that an answer to a message in a channel would be in. */
export function threadOf({ event }: EventCallback): string | undefined {
  const root = event.thread_ts ?? event.ts;
  return event.channel === undefined || root === undefined ? undefined : `${event.channel} ${root}`;
}

/** All of an arrival but its body. */
export function subjectOf(call: EventCallback): Omit<Arrival, "body" | "headers"> {
  const { event, event_id: eventId } = call;
  const chat = event.channel ?? event.item?.channel;
  const sender = senderOf(call);
  const files = (event.files ?? []).map(({ name }) => `[${name ?? "file"}]`);
  return {
    channel: "slack",
    eventId,
    ...(sender === undefined ? {} : { sender: { id: sender } }),
    ...(chat === undefined ? {} : { chat }),
    kind: !isWritten(call) ? "other" : event.channel_type === "im" ? "direct" : "group",
    preview: isWritten(call)
      ? [event.text ?? "", ...files].filter((part) => part !== "").join(" ")
      : `[${event.subtype ?? event.type}]`,
  };
}

function senderOf({ event }: EventCallback): string | undefined {
  if (event.type === "member_joined_channel") return event.inviter ?? event.user;
  return event.user ?? event.message?.user ?? event.previous_message?.user ?? event.bot_id;
}

function botsOf(authorizations: EventCallback["authorizations"]): string[] {
  return (authorizations ?? []).flatMap(({ user_id: id, is_bot: bot }) =>
    id === undefined || bot === false ? [] : [id],
  );
}
