/**
 * Apps and phones that an admin lets in by a pairing code instead of the gateway token.
 *
 * An app exchanges the code once, `POST /_moltworker/pair` with `exchangeRequest` as JSON, for a
 * credential of its own. It sends that as `Authorization: Bearer …`, or as `?token=` on a WebSocket
 * upgrade, wherever the gateway token would count. `GET /_moltworker/session` then tells it the inner
 * token that its `connect` is signed with.
 */
import * as z from "zod";

/** Milliseconds for which a code counts. */
export const CODE_LIFETIME_MS = 10 * 60_000;
export const PAIR_PATH = "/_moltworker/pair";

export const appName = z.string().trim().min(1).max(80);

export const exchangeRequest = z.strictObject({
  code: z.string().min(1).max(64),
  /** What the admin page calls the app; without one the name that the code was made for. */
  name: appName.optional(),
  /** The device whose key the app holds: it is approved as soon as it asks for pairing. */
  deviceId: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type ExchangeRequest = z.infer<typeof exchangeRequest>;

export const exchangeReply = z.object({
  /** Shown this once. */
  credential: z.string(),
  /** By which the admin page knows the app. */
  app: z.string(),
  agentId: z.string(),
  /** Where the gateway's WebSocket is. */
  socket: z.string(),
});

/** What a QR picture of a code holds: a page of ours, with the code where no server sees it. */
export function pairLink(origin: string, code: string): string {
  return `${origin}${PAIR_PATH}#${code}`;
}
