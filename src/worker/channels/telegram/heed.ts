/**
 * What of Telegram is the agent's business, as its gateway decides it in the end: it answers nobody in a
 * group but those whom the settings name, and no edited message and no reaction at all. Waking the agent
 * for anything else would only cost. Pure.
 */
import * as z from "zod";
import type { Arrival, Circumstances, Heed } from "../channel.ts";

const update = z.object({
  message: z.object({ text: z.string().optional() }).optional(),
  edited_message: z.unknown().optional(),
  channel_post: z.unknown().optional(),
  edited_channel_post: z.unknown().optional(),
  message_reaction: z.unknown().optional(),
});

/** The settings, as the gateway has them too. */
export interface Allowed {
  policy: string;
  allowFrom: readonly string[];
}

export function heed(
  { body, chat = "", kind, sender }: Arrival,
  { standing, named }: Circumstances,
  { policy, allowFrom }: Allowed,
): Heed {
  const data = update.parse(JSON.parse(body));
  const everybody = policy === "open";
  const post = data.channel_post !== undefined;
  if (post || data.edited_channel_post !== undefined) {
    // A channel speaks for itself, whoever of its people wrote.
    if (!everybody && !allowFrom.includes(chat)) return "drop";
    return post ? "judge" : "keep";
  }
  if (sender === undefined || standing === "barred") return "judge";
  if (data.edited_message !== undefined || data.message_reaction !== undefined) {
    return standing === "approved" ? "keep" : "drop";
  }
  // A command in a group is answered, if only with a refusal.
  const talk = data.message !== undefined && data.message.text?.startsWith("/") !== true;
  return kind === "group" && talk && !named && !everybody ? "drop" : "judge";
}
