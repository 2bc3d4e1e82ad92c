/**
 * Discord's Gateway, version 10 in JSON, as far as both sides of it are spoken here:
 * https://docs.discord.com/developers/events/gateway and …/topics/opcodes-and-status-codes. Pure.
 */
import * as z from "zod";

export const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presence: 3,
  voiceState: 4,
  resume: 6,
  reconnect: 7,
  requestMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

export const frame = z.object({
  op: z.number().int(),
  d: z.unknown().optional(),
  s: z.number().int().nonnegative().nullish(),
  t: z.string().nullish(),
});
export type Frame = z.infer<typeof frame>;

/** What the gateway's plugin asks for: servers, their expressions, messages and reactions. */
const GUILDS = 1 << 0;
const GUILD_EXPRESSIONS = 1 << 3;
const GUILD_MESSAGES = 1 << 9;
const GUILD_MESSAGE_REACTIONS = 1 << 10;
const DIRECT_MESSAGES = 1 << 12;
const DIRECT_MESSAGE_REACTIONS = 1 << 13;
/** Privileged: has to be switched on at Discord as well. */
const MESSAGE_CONTENT = 1 << 15;
export const INTENTS =
  GUILDS |
  GUILD_EXPRESSIONS |
  GUILD_MESSAGES |
  GUILD_MESSAGE_REACTIONS |
  DIRECT_MESSAGES |
  DIRECT_MESSAGE_REACTIONS |
  MESSAGE_CONTENT;

export type AfterClose =
  | { next: "resume" }
  /** The session is over; a new one begins. */
  | { next: "identify" }
  /** Trying again changes nothing until a person did something. */
  | { next: "give-up"; problem: string };

const RESUME: AfterClose = { next: "resume" };
const FATAL: Record<number, string> = {
  4004: "Discord does not know this token. Copy DISCORD_BOT_TOKEN from the Bot page of your application again.",
  4010: "Discord refused the shard that was asked for.",
  4011: "The bot is in too many servers for one connection; this version holds only one.",
  4012: "Discord does not speak version 10 of its Gateway any more; a newer moltworker is needed.",
  4013: "Discord does not know the intents that were asked for; a newer moltworker is needed.",
  4014: "The Message Content Intent is switched off. Switch it on at discord.com/developers → your application → Bot; it is tried again within a quarter of an hour.",
};

/** By the table of close codes; what it does not list is a broken connection. */
export function afterClose(code: number): AfterClose {
  const problem = FATAL[code];
  if (problem !== undefined) return { next: "give-up", problem };
  // Not authenticated, invalid sequence, session timed out.
  if (code === 4003 || code === 4007 || code === 4009) return { next: "identify" };
  return RESUME;
}

export function parseFrame(text: string): Frame | undefined {
  try {
    return frame.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
