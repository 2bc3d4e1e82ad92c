/** People, a server and chats of the emulated Discord, as its objects are described at
 * https://docs.discord.com/developers/resources/user, …/guild, …/channel and …/message. */

export const BOT_ID = "424242424242424242";
export const GUILD_ID = "500000000000000001";
export const TEAM_CHANNEL = "500000000000000002";
export const BOT_ROLE = "500000000000000003";
export const BOT_TOKEN = `${Buffer.from(BOT_ID).toString("base64url")}.Gemula.emulated-discord-bot-secret-0123456`;

export interface Person {
  id: string;
  username: string;
}

export interface Attachment {
  id: string;
  filename: string;
  size: number;
  url: string;
  proxy_url: string;
  content_type: string;
}

export interface Message {
  id: string;
  channel_id: string;
  content: string;
  author: object;
  attachments: Attachment[];
  [field: string]: unknown;
}

export const BOT = userOf({ id: BOT_ID, username: "emulated-bot" }, true);

export function userOf({ id, username }: Person, bot = false): Record<string, unknown> {
  return {
    ...{ id, username, bot, discriminator: "0", global_name: null, avatar: null },
    public_flags: 0,
  };
}

export function readyOf(guilds: readonly string[]): object {
  return {
    v: 10,
    user: { ...BOT, verified: true, mfa_enabled: false, email: null, flags: 0 },
    guilds: guilds.map((id) => ({ id, unavailable: true })),
    application: { id: BOT_ID, flags: 1 << 19 },
    ...{ private_channels: [], relationships: [], shard: [0, 1] },
  };
}

export function guildOf(): Record<string, unknown> {
  const role = (id: string, name: string, tags: object) => ({
    ...{ id, name, color: 0, hoist: false, position: 0, permissions: "8", managed: false },
    ...{ mentionable: false, flags: 0, ...tags },
  });
  return {
    ...{ id: GUILD_ID, name: "Team", icon: null, owner_id: "600000000000000001", splash: null },
    ...{ region: "", afk_timeout: 300, verification_level: 0, default_message_notifications: 0 },
    ...{ explicit_content_filter: 0, mfa_level: 0, nsfw_level: 0, premium_tier: 0, features: [] },
    ...{ system_channel_flags: 0, preferred_locale: "en-US", premium_progress_bar_enabled: false },
    ...{ joined_at: "2020-01-01T00:00:00.000000+00:00", large: false, unavailable: false },
    ...{ member_count: 2, emojis: [], stickers: [], threads: [], presences: [] },
    ...{ voice_states: [], stage_instances: [], guild_scheduled_events: [] },
    roles: [role(GUILD_ID, "@everyone", {}), role(BOT_ROLE, "bot", { tags: { bot_id: BOT_ID } })],
    channels: [channelOf(TEAM_CHANNEL)],
    members: [memberOf({ id: BOT_ID, username: "emulated-bot" }, true)],
  };
}

export function memberOf(person: Person, bot = false): Record<string, unknown> {
  return {
    ...{ user: userOf(person, bot), nick: null, avatar: null, roles: bot ? [BOT_ROLE] : [] },
    ...{ joined_at: "2020-01-01T00:00:00.000000+00:00", deaf: false, mute: false, flags: 0 },
  };
}

/** The server's text channel, or a direct one. */
export function channelOf(id: string, person?: Person): Record<string, unknown> {
  return person === undefined
    ? {
        ...{ id, type: 0, guild_id: GUILD_ID, name: "team", topic: null, position: 0, nsfw: false },
        ...{ permission_overwrites: [], rate_limit_per_user: 0, parent_id: null },
      }
    : { id, type: 1, last_message_id: null, recipients: [userOf(person)] };
}

export function messageOf(
  fields: Pick<Message, "id" | "channel_id" | "content" | "author" | "attachments">,
): Message {
  return {
    ...{ tts: false, mention_everyone: false, mentions: [], mention_roles: [], embeds: [] },
    ...{ pinned: false, type: 0, flags: 0, components: [], edited_timestamp: null },
    timestamp: new Date().toISOString(),
    ...fields,
  };
}
