/**
 * `POST /webhooks/slack/<agent id>`: events, slash commands and interactions, all to one address.
 * The signature over the raw body proves them; nothing else is looked at before. Fails closed.
 */
import { jsonReply } from "../../replies.ts";
import { boundedText, type WebhookCall, type WebhookReading } from "../webhook.ts";
import { readRequest } from "./request.ts";
import type { SlackSettings } from "./settings.ts";
import { isRecent, isSigned, signedBy } from "./signature.ts";

/** Slack's own limit for an event is far below; the gateway takes as much. */
const MAX_BODY_BYTES = 512 * 1024;
/** Slack takes an answer that comes later than 3 s for none, and sends again. */
const STORE_MS = 2_500;

export function slackWebhookPath(agentId: string): string {
  return `/webhooks/slack/${agentId}`;
}

export async function readSlackWebhook(
  { request, rest, agentId, now }: WebhookCall,
  { signingSecret }: SlackSettings,
): Promise<WebhookReading> {
  if (rest !== agentId || signingSecret === undefined) return refuse(404, "not_found");
  const signed = signedBy(request.headers);
  if (signed === undefined) return refuse(401, "not_signed");
  if (!isRecent(signed, now)) return refuse(401, "too_old");
  const body = await boundedText(request, MAX_BODY_BYTES);
  if (!body.ok) return refuse(body.status, body.code);
  if (!(await isSigned(signed, body.text, signingSecret))) return refuse(401, "wrong_signature");
  const read = readRequest(request.headers.get("content-type") ?? "", body.text);
  switch (read.kind) {
    case "malformed":
      return refuse(400, "malformed_request");
    case "challenge":
      return { ok: true, arrivals: [], reply: jsonReply(200, { challenge: read.challenge }) };
    case "done":
      return { ok: true, arrivals: [], reply: taken(read.answer) };
    case "arrival":
      return { ok: true, arrivals: [read.arrival], reply: taken(), withinMs: STORE_MS };
  }
}

/** Without a body: Slack would show one to whoever used a slash command. */
function taken(answer?: object): Response {
  return answer === undefined ? new Response(null, { status: 200 }) : jsonReply(200, answer);
}

function refuse(status: number, code: string): WebhookReading {
  return { ok: false, reply: jsonReply(status, { error: { code } }) };
}
