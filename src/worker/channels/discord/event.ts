/**
 * Discord's dispatches (https://docs.discord.com/developers/events/gateway-events): what is a message
 * to the agent, which waits in the inbox, and what only matters to an agent that is up. Pure.
 */
import * as z from "zod";
import type { Arrival } from "../channel.ts";

export type Reading =
  | { kind: "letter"; arrival: Arrival; guild?: string }
  /** Passed on while the agent is up, dropped otherwise. */
  | { kind: "live"; guild?: string; author?: string; written: boolean };

const id = z.string().regex(/^\d{1,20}$/);
const user = z.object({
  id,
  username: z.string().optional(),
  global_name: z.string().nullish(),
  bot: z.boolean().optional(),
});
const message = z.object({
  id,
  channel_id: id,
  guild_id: id.optional(),
  author: user,
  webhook_id: id.optional(),
  content: z.string().optional(),
  mentions: z.array(z.object({ id })).optional(),
  mention_roles: z.array(id).optional(),
  referenced_message: z.object({ author: z.object({ id }) }).nullish(),
});
const anything = z.object({
  guild_id: id.optional(),
  user_id: id.optional(),
  author: z.object({ id }).optional(),
  user: z.object({ id }).optional(),
  member: z.object({ user: z.object({ id }).optional() }).optional(),
});

export const interaction = z.object({ id, token: z.string().min(1).max(1_000) });

/** `isRole` says whether a role is the bot's own, which people mention in its place. */
export interface Self {
  botId: string;
  isRole(guild: string, role: string): boolean;
}

export function readDispatch(type: string, data: unknown, self: Self): Reading {
  const written = type.startsWith("MESSAGE_");
  const parsed = type === "MESSAGE_CREATE" ? message.safeParse(data).data : undefined;
  if (parsed === undefined) {
    const {
      guild_id: guild,
      user_id,
      author,
      user: by,
      member,
    } = anything.safeParse(data).data ?? {};
    const who = user_id ?? author?.id ?? by?.id ?? member?.user?.id;
    return {
      kind: "live",
      written,
      ...(guild === undefined ? {} : { guild }),
      ...(who === undefined ? {} : { author: who }),
    };
  }
  const { author, guild_id: guild } = parsed;
  const place = guild === undefined ? {} : { guild };
  const person = author.bot !== true && parsed.webhook_id === undefined;
  if (!person || author.id === self.botId || !isAddressed(parsed, self)) {
    return { kind: "live", written, author: author.id, ...place };
  }
  return {
    kind: "letter",
    ...place,
    arrival: {
      channel: "discord",
      eventId: parsed.id,
      sender: { id: author.id, name: (author.global_name ?? author.username ?? "").slice(0, 80) },
      chat: parsed.channel_id,
      kind: guild === undefined ? "direct" : "group",
      preview: parsed.content ?? "",
      body: JSON.stringify(data),
    },
  };
}

/** A direct message, the bot's name or its role, or an answer to something it wrote. */
function isAddressed(data: z.infer<typeof message>, { botId, isRole }: Self): boolean {
  const { guild_id: guild } = data;
  if (guild === undefined) return true;
  return (
    (data.mentions ?? []).some((who) => who.id === botId) ||
    (data.mention_roles ?? []).some((role) => isRole(guild, role)) ||
    data.referenced_message?.author.id === botId
  );
}
