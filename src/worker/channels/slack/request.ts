/**
 * What Slack posts (https://docs.slack.dev/apis/events-api/, /interactivity/): an event as JSON, a
 * slash command as a form, an interaction as a form with JSON in it. Socket Mode's envelopes carry
 * the same content and are brought into the same form. Pure.
 */
import * as z from "zod";
import { SLACK_COMMAND } from "../../../protocol/slack-manifest.ts";
import type { Arrival } from "../channel.ts";
import { eventCallback, isOwn, subjectOf } from "./event.ts";

export type SlackRequest =
  | { kind: "challenge"; challenge: string }
  | { kind: "arrival"; arrival: Arrival }
  /** Taken and done with: `answer` is what Slack gets. */
  | { kind: "done"; answer?: object }
  | { kind: "malformed" };

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
/** Slack's old proof of origin stands in every request; the sandbox has no use for it. */
const NO_TOKEN = "moltworker";

const challenge = z.object({ type: z.literal("url_verification"), challenge: z.string().max(500) });
const rateLimited = z.object({ type: z.literal("app_rate_limited") });
const command = z.object({
  command: z.string().startsWith("/").max(100),
  user_id: z.string().min(1),
  user_name: z.string().optional(),
  channel_id: z.string().min(1),
  text: z.string().default(""),
  trigger_id: z.string().min(1).max(200),
});
const interaction = z.object({
  type: z.string().max(50),
  user: z.object({ id: z.string().min(1), username: z.string().optional() }),
  channel: z.object({ id: z.string() }).optional(),
  trigger_id: z.string().max(200).optional(),
  action_ts: z.string().max(50).optional(),
  view: z.object({ id: z.string().max(100), hash: z.string().max(100).optional() }).optional(),
});

const UNKNOWN_COMMAND = {
  response_type: "ephemeral",
  text: `The agent knows ${SLACK_COMMAND} alone. (助手只认识 ${SLACK_COMMAND}。)`,
};

export function readRequest(contentType: string, text: string): SlackRequest {
  if (contentType.startsWith(JSON_TYPE)) return readEvent(text);
  if (!contentType.startsWith(FORM_TYPE)) return { kind: "malformed" };
  const form = new URLSearchParams(text);
  if (form.get("ssl_check") === "1") return { kind: "done" };
  const payload = form.get("payload");
  return payload === null ? readCommand(form) : readInteraction(payload);
}

/** The content of a Socket Mode envelope as Slack would have posted it. */
export function postedForm(type: string, payload: unknown): { contentType: string; text: string } {
  if (type === "events_api") return { contentType: JSON_TYPE, text: JSON.stringify(payload) };
  if (type === "interactive") {
    return { contentType: FORM_TYPE, text: formOf([["payload", JSON.stringify(payload)]]) };
  }
  const fields = typeof payload === "object" && payload !== null ? Object.entries(payload) : [];
  return {
    contentType: FORM_TYPE,
    text: formOf(fields.map(([name, value]) => [name, String(value)])),
  };
}

function readEvent(text: string): SlackRequest {
  const value = parseJson(text);
  const asked = challenge.safeParse(value);
  if (asked.success) return { kind: "challenge", challenge: asked.data.challenge };
  if (rateLimited.safeParse(value).success) return { kind: "done" };
  const called = eventCallback.safeParse(value);
  if (!called.success) return { kind: "malformed" };
  if (isOwn(called.data)) return { kind: "done" };
  const body = JSON.stringify(withoutToken(value));
  return arrival({ ...subjectOf(called.data), headers: { "content-type": JSON_TYPE }, body });
}

function readCommand(form: URLSearchParams): SlackRequest {
  const parsed = command.safeParse(Object.fromEntries(form));
  if (!parsed.success) return { kind: "malformed" };
  const { command: name, user_id: id, user_name: user, channel_id: chat, text } = parsed.data;
  if (name !== SLACK_COMMAND) return { kind: "done", answer: UNKNOWN_COMMAND };
  if (form.has("token")) form.set("token", NO_TOKEN);
  return arrival({
    channel: "slack",
    eventId: `command:${parsed.data.trigger_id}`,
    sender: { id, ...(user === undefined ? {} : { name: user }) },
    chat,
    kind: "group",
    preview: `${name} ${text}`.trim(),
    headers: { "content-type": FORM_TYPE },
    body: form.toString(),
  });
}

function readInteraction(payload: string): SlackRequest {
  const value = parseJson(payload);
  const parsed = interaction.safeParse(value);
  if (!parsed.success) return { kind: "malformed" };
  const { type, user, channel, view } = parsed.data;
  // A list that is asked for while somebody types cannot wait for an agent that sleeps.
  if (type === "block_suggestion") return { kind: "done", answer: { options: [] } };
  const id =
    parsed.data.trigger_id ??
    (view === undefined ? parsed.data.action_ts : `${view.id} ${view.hash ?? ""}`);
  if (id === undefined) return { kind: "malformed" };
  return arrival({
    channel: "slack",
    eventId: `${type}:${id}`,
    sender: { id: user.id, ...(user.username === undefined ? {} : { name: user.username }) },
    ...(channel === undefined ? {} : { chat: channel.id }),
    kind: "group",
    preview: `[${type}]`,
    headers: { "content-type": FORM_TYPE },
    body: formOf([["payload", JSON.stringify(withoutToken(value))]]),
  });
}

function arrival(one: Arrival): SlackRequest {
  return { kind: "arrival", arrival: one };
}

function formOf(fields: [string, string][]): string {
  return new URLSearchParams(fields).toString();
}

function withoutToken(value: unknown): unknown {
  return typeof value === "object" && value !== null && "token" in value
    ? { ...value, token: NO_TOKEN }
    : value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
