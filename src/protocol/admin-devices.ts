/** Devices as the admin API tells of them. */
import * as z from "zod";

/** Milliseconds since the epoch. */
const moment = z.number();

const pendingDevice = z.object({
  deviceId: z.string(),
  name: z.string().optional(),
  platform: z.string().optional(),
  requestedAt: moment.optional(),
  address: z.string().optional(),
});
export type PendingDevice = z.infer<typeof pendingDevice>;

const pairedDevice = z.object({
  deviceId: z.string(),
  name: z.string().optional(),
  platform: z.string().optional(),
  approvedAt: moment.optional(),
  approvedBy: z.string().optional(),
  lastSeenAt: moment.optional(),
  recorded: z.boolean(),
});
export type PairedDevice = z.infer<typeof pairedDevice>;

export const devicesReply = z.object({
  pending: z.array(pendingDevice),
  paired: z.array(pairedDevice),
});

export const renameBody = z.strictObject({ name: z.string().trim().min(1).max(80) });
