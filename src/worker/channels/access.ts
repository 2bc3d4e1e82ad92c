/**
 * The sandbox's own calls to the chat platforms: one row a platform. A host that belongs to a
 * platform which is set up is answered here and never by the egress policy.
 */
import type { ChannelId } from "../../protocol/channels.ts";
import { discordAccess } from "./discord/access.ts";
import type { ChannelSettings } from "./settings.ts";
import { slackAccess } from "./slack/access.ts";
import { telegramAccess } from "./telegram/access.ts";

export interface PlatformAccess {
  /** Which channel it is, and which of the calls write to a chat: the admin page says when one did. */
  channel?: ChannelId;
  writes?(request: Request): boolean;
  /** Exact host names, on their usual HTTPS port. */
  hosts: readonly string[];
  /** Hosts whose WebSockets end at the channel in the agent's Durable Object. */
  sockets?: readonly string[];
  /** Answers the call itself, or passes it on with the real token; `reach` is the way out. */
  answer(request: Request, reach: typeof fetch): Promise<Response>;
}

export function platformFor(url: URL, settings: ChannelSettings): PlatformAccess | undefined {
  if (url.protocol !== "https:" || url.port !== "") return undefined;
  return platforms(settings).find(({ hosts }) => hosts.includes(url.hostname));
}

function platforms({ telegram, slack, discord }: ChannelSettings): PlatformAccess[] {
  return [
    ...(telegram === undefined ? [] : [telegramAccess(telegram)]),
    ...(slack === undefined ? [] : [slackAccess(slack)]),
    ...(discord === undefined ? [] : [discordAccess(discord)]),
  ];
}
