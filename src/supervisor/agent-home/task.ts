import * as z from "zod";

/**
 * What the supervisor has done in the agent's home. It never opens a file there itself: the agent
 * owns the folder and could put links or a crafted database in the way. A second process of this
 * program does it, as the agent.
 */
/** A message of a person that the gateway took from us. */
const takenMessage = z.object({
  channel: z.enum(["telegram"]),
  /** The platform's id of the event, and of the message in it. */
  eventId: z.string().regex(/^\d+$/),
  messageId: z.string(),
  chatId: z.string().regex(/^-?\d+$/),
  senderId: z.string(),
  /** Its first line. */
  text: z.string().min(1),
  /** Milliseconds since the epoch. */
  takenAt: z.number(),
});
export type TakenMessage = z.infer<typeof takenMessage>;

export const homeTask = z.discriminatedUnion("task", [
  /** Before each start of the gateway. */
  z.object({
    task: z.literal("prepare"),
    home: z.string(),
    config: z.string(),
    /** A gateway ended without being asked to, this sandbox's or an earlier one's. Milliseconds since the epoch. */
    ended: z.object({ aheadSince: z.number(), taken: z.array(takenMessage) }).optional(),
  }),
  /** The gateway became ready with the config that lies there: remember it. */
  z.object({ task: z.literal("accept"), home: z.string() }),
  /** The gateway rejected the config that lies there: put the last accepted one back. */
  z.object({ task: z.literal("revert"), home: z.string() }),
]);
export type HomeTask = z.infer<typeof homeTask>;

export const homeReply = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    /** True when the config on disk was another one. */
    configWritten: z.boolean(),
    /** What was put right in the state, or could not be, for the log. */
    notes: z.array(z.string().max(500)).max(10),
    /** Events that have to be handed over again. */
    lost: z.array(z.string()).default([]),
  }),
  z.object({ ok: z.literal(false), message: z.string().max(2_000) }),
]);
export type HomeReply = z.infer<typeof homeReply>;
