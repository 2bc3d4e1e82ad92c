/**
 * `POST /webhooks/<channel>/…`: what the platforms send. Public, so each platform's own proof decides
 * before anything else happens: nothing is stored, asked or woken for a request that lacks it.
 */
import type { AgentCalls } from "../agent-calls.ts";
import { DeadlineError, within } from "../deadline.ts";
import { jsonReply } from "../replies.ts";
import type { WebhookCall, WebhookReading } from "./webhook.ts";
import type { ChannelSettings } from "./settings.ts";
import { readSlackWebhook } from "./slack/webhook.ts";
import { readTelegramWebhook } from "./telegram/webhook.ts";

export async function answerWebhook(
  call: WebhookCall & { channel: string; settings: ChannelSettings; agent: AgentCalls },
): Promise<Response> {
  const reading = await read(call);
  if (!reading.ok) {
    await call.request.body?.cancel();
    return reading.reply;
  }
  if (reading.arrivals.length === 0) return reading.reply;
  const work = call.agent.channels.receive(reading.arrivals);
  const received = await within("The inbox", reading.withinMs ?? STORE_MS, work).catch(late);
  if (received === "late") return jsonReply(503, { error: { code: "inbox_late" } });
  if (received.full > 0) return jsonReply(503, { error: { code: "inbox_full" } });
  return reading.reply;
}

/** A platform that set itself no shorter deadline waits for as long as this. */
const STORE_MS = 20_000;

function late(error: unknown): "late" {
  if (error instanceof DeadlineError) return "late";
  throw error;
}

async function read(
  call: WebhookCall & { channel: string; settings: ChannelSettings },
): Promise<WebhookReading> {
  const { telegram, slack } = call.settings;
  if (call.channel === "telegram" && telegram !== undefined) {
    return readTelegramWebhook(call, telegram);
  }
  if (call.channel === "slack" && slack !== undefined) return readSlackWebhook(call, slack);
  return { ok: false, reply: jsonReply(404, { error: { code: "not_found" } }) };
}
