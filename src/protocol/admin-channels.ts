/** Chat channels in the admin API. */
import * as z from "zod";
import type { Endpoint } from "./admin.ts";
import { CHANNEL_IDS, DM_POLICIES } from "./channels.ts";

/** Milliseconds since the epoch. */
const moment = z.number();
const nothing = z.strictObject({});
const done = z.object({ ok: z.literal(true), pending: z.boolean().optional() });
const channelId = z.enum(CHANNEL_IDS);
const problem = z.object({ at: moment, message: z.string() });

export const channelView = z.object({
  id: channelId,
  policy: z.enum(DM_POLICIES),
  /** `connected` when messages would arrive now. */
  connection: z.enum(["connected", "connecting", "failed"]),
  /** How messages come in. */
  way: z.enum(["webhook", "poll", "socket"]),
  /** The bot's name on the platform, once it is known. */
  account: z.string().optional(),
  /** Where the platform sends to, for a webhook. */
  address: z.string().optional(),
  waiting: z.number(),
  dead: z.number(),
  lastInAt: moment.optional(),
  lastOutAt: moment.optional(),
  error: problem.optional(),
});
export type ChannelView = z.infer<typeof channelView>;

export const letterView = z.object({
  n: z.number(),
  channel: channelId,
  eventId: z.string(),
  senderId: z.string().optional(),
  senderName: z.string().optional(),
  kind: z.enum(["direct", "group", "other"]),
  /** The beginning of its text. */
  preview: z.string(),
  at: moment,
  /** `given`: the gateway has it, and no backup holds that yet. */
  state: z.enum(["waiting", "given", "dead"]),
  tries: z.number(),
  nextAt: moment,
  lastError: z.string().optional(),
});
export type LetterView = z.infer<typeof letterView>;

export const pairingRequest = z.object({
  requestId: z.string(),
  channel: channelId,
  senderId: z.string(),
  name: z.string().optional(),
  createdAt: moment.optional(),
  expiresAt: moment.optional(),
});
export type PairingRequest = z.infer<typeof pairingRequest>;

export const approvedSender = z.object({
  channel: channelId,
  id: z.string(),
  name: z.string().optional(),
  approvedAt: moment,
  approvedBy: z.string(),
  /** An admin took the leave back: nothing of theirs is handed on. */
  barred: z.boolean(),
});
export type ApprovedSender = z.infer<typeof approvedSender>;

export const channelsReply = z.object({
  channels: z.array(channelView),
  /** Given-up ones first, then in the order of arrival. */
  letters: z.array(letterView),
  senders: z.array(approvedSender),
  pairing: z.union([
    z.object({ known: z.literal(true), requests: z.array(pairingRequest) }),
    /** The gateway, which keeps the requests, could not be asked. */
    z.object({ known: z.literal(false), reason: z.string() }),
  ]),
});
export type ChannelsView = z.infer<typeof channelsReply>;

export const pairingBody = z.strictObject({
  channel: channelId,
  requestId: z.string().min(1).max(200),
});
export const senderBody = z.strictObject({ channel: channelId, id: z.string().min(1).max(64) });
export const testBody = z.strictObject({
  channel: channelId,
  chat: z.string().trim().min(1).max(64),
});

export const CHANNELS_API = {
  channels: { method: "GET", path: "/api/channels", reply: channelsReply },
  approve: { method: "POST", path: "/api/channels/approve", body: pairingBody, reply: done },
  dismiss: { method: "POST", path: "/api/channels/dismiss", body: pairingBody, reply: done },
  /** Nothing of the sender's is handed on any more, and again. */
  bar: { method: "POST", path: "/api/channels/bar", body: senderBody, reply: done },
  readmit: { method: "POST", path: "/api/channels/readmit", body: senderBody, reply: done },
  retryLetter: {
    method: "POST",
    path: "/api/channels/letters/:id/retry",
    body: nothing,
    reply: done,
  },
  dropLetter: { method: "DELETE", path: "/api/channels/letters/:id", reply: done },
  /** Sends a message in the bot's name to a chat. */
  test: { method: "POST", path: "/api/channels/test", body: testBody, reply: done },
} satisfies Record<string, Endpoint<unknown>>;
