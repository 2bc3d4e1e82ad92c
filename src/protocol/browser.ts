/** The browser room: what the admin API says of the browser sessions. */
import * as z from "zod";

/** Milliseconds since the epoch. */
const moment = z.number();

export const browserHolder = z.enum(["agent", "outside"]);
/** Who opened a session: the agent in its sandbox, or a program with the CDP secret. */
export type BrowserHolder = z.infer<typeof browserHolder>;

export const browserSession = z.object({
  id: z.string(),
  holder: browserHolder,
  /** The address a program outside came from; empty for the agent. */
  from: z.string(),
  startedAt: moment,
  /** Whether somebody is connected. Undefined when the service does not say. */
  connected: z.boolean().optional(),
  /** The pages that are open, the one used last first, without query and fragment; not all of many. */
  pages: z.array(z.string()),
  /** How many are open. */
  pageCount: z.number(),
});
export type BrowserSessionView = z.infer<typeof browserSession>;

export const browserOverview = z.object({
  /** False when no browser is bound: then browsing is off. */
  available: z.boolean(),
  /** Why the service could not be asked; the rest is what was known last. */
  trouble: z.string().optional(),
  /** Whether programs outside may connect: CDP_SECRET is set. */
  outside: z.boolean(),
  sessions: z.array(browserSession),
  usedTodayMs: z.number(),
  /** Absent: no cap. */
  dayCapMs: z.number().optional(),
  /** Newest first. */
  visited: z.array(z.object({ url: z.string(), at: moment, holder: browserHolder })),
});
export type BrowserOverview = z.infer<typeof browserOverview>;

export const releaseBody = z.strictObject({ id: z.uuid() });
