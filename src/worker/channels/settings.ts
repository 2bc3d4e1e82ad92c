/** Which platforms are set up, and how. One field a platform; absent when its token is not set. */
import type { ConfigProblem, Read } from "../config/reading.ts";
import * as field from "./fields.ts";
import { discordSecrets, readDiscord, type DiscordSettings } from "./discord/settings.ts";
import { readSlack, slackSecrets, type SlackSettings } from "./slack/settings.ts";
import { readTelegram, telegramSecrets, type TelegramSettings } from "./telegram/settings.ts";

export interface ChannelSettings {
  telegram?: TelegramSettings;
  slack?: SlackSettings;
  discord?: DiscordSettings;
  /** How often people who were not let in may wake the agent in a day. */
  strangerWakes: number;
  /** `channel:id` of the owner's own identities: they share the owner's conversation. */
  owners: readonly OwnerIdentity[];
}

export type OwnerIdentity = field.OwnerIdentity;

const STRANGER_WAKES = 5;

export function readChannels(read: Read, problems: ConfigProblem[]): ChannelSettings {
  const telegram = readTelegram(read, problems);
  const slack = readSlack(read, problems);
  const discord = readDiscord(read, problems);
  return {
    ...(telegram === undefined ? {} : { telegram }),
    ...(slack === undefined ? {} : { slack }),
    ...(discord === undefined ? {} : { discord }),
    strangerWakes: read("CHANNEL_STRANGER_WAKES", field.wakes) ?? STRANGER_WAKES,
    owners: read("CHANNEL_OWNERS", field.owners) ?? [],
  };
}

/** What must never show in a log or a reply. */
export function channelSecrets({ telegram, slack, discord }: ChannelSettings): string[] {
  return [
    ...(telegram === undefined ? [] : telegramSecrets(telegram)),
    ...(slack === undefined ? [] : slackSecrets(slack)),
    ...(discord === undefined ? [] : discordSecrets(discord)),
  ];
}
