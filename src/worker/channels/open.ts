/** The channels that are set up, one row a platform. */
import type { ChannelId } from "../../protocol/channels.ts";
import type { Channel, ChannelHost } from "./channel.ts";
import { DiscordChannel } from "./discord/channel.ts";
import type { ChannelSettings } from "./settings.ts";
import { SlackChannel } from "./slack/channel.ts";
import { TelegramChannel } from "./telegram/channel.ts";

/** @param origin the Worker's public address; undefined when it has none */
export function openChannels(
  settings: ChannelSettings,
  origin: string | undefined,
  host: (channel: ChannelId) => ChannelHost,
): Channel[] {
  const { telegram, slack, discord } = settings;
  return [
    ...(telegram === undefined ? [] : [new TelegramChannel(telegram, host("telegram"), origin)]),
    ...(slack === undefined ? [] : [new SlackChannel(slack, host("slack"), origin)]),
    ...(discord === undefined ? [] : [new DiscordChannel(discord, host("discord"))]),
  ];
}

/** The first of the addresses that a platform on the internet could send to. */
export function publicOrigin(origins: readonly string[]): string | undefined {
  return origins.find((origin) => {
    const { protocol, hostname } = new URL(origin);
    return protocol === "https:" && hostname.includes(".") && !isLocal(hostname);
  });
}

function isLocal(hostname: string): boolean {
  return (
    hostname.startsWith("[") ||
    /^(10|127|0|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(hostname) ||
    /\.(localhost|local|internal|lan|home\.arpa)$/.test(hostname)
  );
}
