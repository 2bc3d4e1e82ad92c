/** `/api/apps*`: pairing codes for apps and phones, and what was let in by one. */
import * as z from "zod";
import { doneReply, type Endpoint } from "./admin.ts";
import { appName } from "./apps.ts";

const moment = z.number();

export const newCodeBody = z.strictObject({ name: appName.optional() });

export const newCodeReply = z.object({
  /** Shown this once; four groups of four. */
  code: z.string(),
  expiresAt: moment,
  /** What a QR picture holds; absent when nobody has told the Worker its address. */
  link: z.string().optional(),
});
export type NewCode = z.infer<typeof newCodeReply>;

const app = z.object({
  id: z.string(),
  name: z.string(),
  letInAt: moment,
  /** The admin who made the code. */
  by: z.string(),
  /** The address it came from with the code. */
  from: z.string(),
  /** To within some minutes; absent before the first use. */
  lastSeenAt: moment.optional(),
  /** The device that was approved along with it. */
  deviceId: z.string().optional(),
});
export type App = z.infer<typeof app>;

export const appsReply = z.object({
  apps: z.array(app),
  /** Codes that were not used yet, without the code itself. */
  codes: z.array(z.object({ name: z.string(), by: z.string(), expiresAt: moment })),
});
export type AdminApps = z.infer<typeof appsReply>;

export const APPS_API = {
  apps: { method: "GET", path: "/api/apps", reply: appsReply },
  newCode: { method: "POST", path: "/api/apps/codes", body: newCodeBody, reply: newCodeReply },
  /** Every code that was not used yet stops counting. */
  dropCodes: { method: "DELETE", path: "/api/apps/codes", reply: doneReply },
  /** The credential stops counting at once, and the device that was approved with it. */
  removeApp: { method: "DELETE", path: "/api/apps/:id", reply: doneReply },
} satisfies Record<string, Endpoint<unknown>>;
