/** Telegram's settings. `TELEGRAM_BOT_TOKEN` alone is enough. */
import type { DmPolicy } from "../../../protocol/channels.ts";
import type { ConfigProblem, Read } from "../../config/reading.ts";
import { baseUrl, type Field } from "../../config/fields.ts";
import { dmPolicy, effectivePolicy, senderIds } from "../fields.ts";

export interface TelegramSettings {
  /** `<bot id>:<secret>`. */
  token: string;
  policy: DmPolicy;
  allowFrom: readonly string[];
  /** The Bot API, without a trailing slash. */
  apiUrl: string;
}

export const TELEGRAM_API = "https://api.telegram.org";
const TOKEN = /^\d{3,20}:[A-Za-z0-9_-]{20,64}$/;

export function readTelegram(read: Read, problems: ConfigProblem[]): TelegramSettings | undefined {
  const token = read("TELEGRAM_BOT_TOKEN", botToken);
  const said = read("TELEGRAM_DM_POLICY", dmPolicy) ?? "pairing";
  const allowFrom = read("TELEGRAM_DM_ALLOW_FROM", senderIds(/^-?\d{1,20}$/, "123456789")) ?? [];
  const policy = effectivePolicy(said, allowFrom);
  const apiUrl = read("TELEGRAM_API_URL", baseUrl) ?? TELEGRAM_API;
  if (token === undefined) return undefined;
  if (policy === "allowlist" && allowFrom.length === 0) {
    problems.push({
      name: "TELEGRAM_DM_ALLOW_FROM",
      problem: "is not set, so that TELEGRAM_DM_POLICY=allowlist would let nobody in",
      mend: "Set it to your own Telegram id, a number; @userinfobot tells it.",
    });
  }
  return { token, policy, allowFrom, apiUrl };
}

export function telegramSecrets({ token }: TelegramSettings): string[] {
  return [token, token.slice(token.indexOf(":") + 1)];
}

/** Public: the part before the colon is the bot's own id. */
export function botId({ token }: TelegramSettings): string {
  return token.slice(0, token.indexOf(":"));
}

/** What stands in the sandbox where the token would: of the token's shape, worth nothing. */
export function placeholderToken(settings: TelegramSettings): string {
  return `${botId(settings)}:moltworker-placeholder-of-the-token`;
}

function botToken(text: string): Field<string> {
  if (TOKEN.test(text)) return { ok: true, value: text };
  return {
    ok: false,
    problem: "is not a bot token",
    mend: "Copy it from @BotFather as it is: digits, a colon, and about 35 characters.",
  };
}
