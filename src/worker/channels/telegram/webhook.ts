/**
 * `POST /webhooks/telegram/<agent id>`: Telegram's updates. The secret that the Worker registered
 * with Telegram proves them (https://core.telegram.org/bots/api#setwebhook). Fails closed.
 */
import { derivedKey, sameSecret, sign } from "../../access/token.ts";
import { jsonReply } from "../../replies.ts";
import { boundedText, type WebhookCall, type WebhookReading } from "../webhook.ts";
import { botId, type TelegramSettings } from "./settings.ts";
import { readUpdate } from "./update.ts";

/** The Bot API has no update near this size; the gateway takes as much. */
const MAX_UPDATE_BYTES = 512 * 1024;
const SECRET_HEADER = "x-telegram-bot-api-secret-token";

export function webhookPath(agentId: string): string {
  return `/webhooks/telegram/${agentId}`;
}

/** Follows from the bot's token and the agent: nothing has to be kept, and a new token is a new secret. */
export async function webhookSecret(token: string, agentId: string): Promise<string> {
  return sign(await derivedKey(token, "telegram webhook"), agentId);
}

export async function readTelegramWebhook(
  { request, rest, agentId }: WebhookCall,
  settings: TelegramSettings,
): Promise<WebhookReading> {
  if (rest !== agentId) return refuse(404, "not_found");
  const given = request.headers.get(SECRET_HEADER) ?? "";
  if (!(await sameSecret(given, await webhookSecret(settings.token, agentId)))) {
    return refuse(401, "wrong_secret");
  }
  const body = await boundedText(request, MAX_UPDATE_BYTES);
  if (!body.ok) return refuse(body.status, body.code);
  const read = readUpdate(body.text, botId(settings));
  if (read.kind === "malformed") return refuse(400, "malformed_update");
  const arrivals = read.kind === "arrival" ? [read.arrival] : [];
  return { ok: true, arrivals, reply: jsonReply(200, { ok: true }) };
}

function refuse(status: number, code: string): WebhookReading {
  return { ok: false, reply: jsonReply(status, { error: { code } }) };
}
