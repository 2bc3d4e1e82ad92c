/**
 * The sandbox's own calls to the chat platforms: one row a platform. A host that belongs to a
 * platform which is set up is answered here and never by the egress policy.
 */
import { discordAccess } from "./discord/access.ts";
import type { PlatformAccess } from "./platform-access.ts";
import type { ChannelSettings } from "./settings.ts";
import { slackAccess } from "./slack/access.ts";
import { telegramAccess } from "./telegram/access.ts";

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
