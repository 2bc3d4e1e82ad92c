/** Discord's settings. `DISCORD_BOT_TOKEN` alone is enough for direct messages. */
import type { DmPolicy } from "../../../protocol/channels.ts";
import type { ConfigProblem, Read } from "../../config/reading.ts";
import { baseUrl, type Field } from "../../config/fields.ts";
import { dmPolicy, effectivePolicy, senderIds } from "../fields.ts";

export interface DiscordSettings {
  /** `<base64 of the bot's id>.<time>.<signature>`. */
  token: string;
  /** The bot's user id, which is its application's id as well. */
  botId: string;
  policy: DmPolicy;
  allowFrom: readonly string[];
  /** Servers whose members are answered when they mention the bot. */
  guilds: readonly string[];
  /** The REST API with its version, without a trailing slash. */
  apiUrl: string;
}

export const DISCORD_API = "https://discord.com/api/v10";
/** Where the plugin inside connects; the Durable Object answers there. */
export const FACADE_HOST = "gateway.discord.gg";
const TOKEN = /^([A-Za-z0-9_-]{20,40})\.[A-Za-z0-9_-]{5,10}\.[A-Za-z0-9_-]{20,80}$/;
const SNOWFLAKE = /^\d{15,20}$/;

export function readDiscord(read: Read, problems: ConfigProblem[]): DiscordSettings | undefined {
  const bot = read("DISCORD_BOT_TOKEN", botToken);
  const said = read("DISCORD_DM_POLICY", dmPolicy) ?? "pairing";
  const ids = senderIds(SNOWFLAKE, "80351110224678912");
  const allowFrom = read("DISCORD_DM_ALLOW_FROM", ids) ?? [];
  const policy = effectivePolicy(said, allowFrom);
  const guilds = read("DISCORD_GUILDS", guildIds) ?? [];
  const apiUrl = read("DISCORD_API_URL", baseUrl) ?? DISCORD_API;
  if (bot === undefined) return undefined;
  if (policy === "allowlist" && allowFrom.length === 0) {
    problems.push({
      name: "DISCORD_DM_ALLOW_FROM",
      problem: "is not set, so that DISCORD_DM_POLICY=allowlist would let nobody in",
      mend: "Set it to your own Discord id, a long number: in Discord switch on Developer Mode, then Copy User ID.",
    });
  }
  return { ...bot, policy, allowFrom, guilds, apiUrl };
}

export function discordSecrets({ token }: DiscordSettings): string[] {
  return [token, token.slice(token.lastIndexOf(".") + 1)];
}

/** What stands in the sandbox where the token would: its first part is the bot's public id. */
export function placeholderToken({ token }: DiscordSettings): string {
  return `${token.slice(0, token.indexOf("."))}.moltwo.placeholder-of-the-token`;
}

function botToken(text: string): Field<{ token: string; botId: string }> {
  const [, id = ""] = TOKEN.exec(text) ?? [];
  const botId = decoded(id);
  if (SNOWFLAKE.test(botId)) return { ok: true, value: { token: text, botId } };
  return {
    ok: false,
    problem: "is not a bot token",
    mend: "Copy it from the Bot page of your application at discord.com/developers: three parts with dots between them, without the word Bot.",
  };
}

function guildIds(text: string): Field<string[]> {
  const value = text.split(/[\s,]+/).filter((entry) => entry !== "");
  const wrong = value.find((entry) => !SNOWFLAKE.test(entry));
  if (value.length > 0 && wrong === undefined) return { ok: true, value };
  return {
    ok: false,
    problem: `holds "${(wrong ?? "").slice(0, 80)}", which is not a server's id`,
    mend: "Write ids, long numbers, separated by commas: in Discord switch on Developer Mode, then Copy Server ID.",
  };
}

function decoded(text: string): string {
  try {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}
