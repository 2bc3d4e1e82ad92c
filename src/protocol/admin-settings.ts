/** Settings as the admin API tells of them, and the one that it changes. */
import * as z from "zod";

const setting = z.object({
  name: z.string(),
  description: z.string(),
  secret: z.boolean(),
  set: z.boolean(),
  /** What it is set to; never there for a secret. */
  value: z.string().optional(),
  /** What holds when it is not set. */
  default: z.string().optional(),
  /** Why it has no effect here. */
  unused: z.string().optional(),
});
export type AdminSetting = z.infer<typeof setting>;

export const settingsReply = z.object({
  version: z.string(),
  notes: z.array(z.string()),
  model: z.string(),
  /** What the settings say; the status has what counts. */
  sleepAfter: z.union([z.literal("never"), z.number()]),
  settings: z.array(setting),
});

/** Milliseconds; `null` follows the settings again. */
export const sleepBody = z.strictObject({
  sleepAfter: z.union([
    z.literal("never"),
    z
      .number()
      .int()
      .min(60_000)
      .max(7 * 86_400_000),
    z.null(),
  ]),
});
