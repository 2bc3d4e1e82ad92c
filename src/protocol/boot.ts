import * as z from "zod";
import { backupSettings } from "./backup.ts";

/**
 * What the Durable Object hands the idle supervisor: `POST /v1/boot` on the control port.
 *
 * It holds no secret of a provider, a chat platform, the storage or the admin. `controlToken` opens
 * the control port from then on; `gatewayToken` is the gateway's own token inside the sandbox and
 * is worth nothing at the edge.
 */
export const bootDocument = z.strictObject({
  protocol: z.number().int().positive(),
  agentId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** Increases with each start of this agent's sandbox; everything it reports carries it. */
  startGeneration: z.number().int().positive(),
  controlToken: z.string().min(32),
  gatewayToken: z.string().min(32),
  /** The exact text of `openclaw.json`; byte-identical from start to start when nothing changed. */
  gatewayConfig: z.string().max(1_000_000),
  /** Ids of the devices that an admin approved: lowercase hex SHA-256 of the device's public key. */
  approvedDevices: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(1000),
  /** Milliseconds the gateway may take to become ready before the start counts as failed. */
  gatewayDeadlineMs: z.number().int().positive(),
  /**
   * What the gateways of earlier starts took, and no backup is known to hold: Telegram's updates. They are handed over
   * again once the gateway is ready.
   */
  handedOver: z
    .array(z.strictObject({ update: z.string(), at: z.number() }))
    .max(100)
    .optional(),
  /** Absent when no bucket is bound: then nothing is restored and nothing is kept. */
  backups: backupSettings.optional(),
});

export type BootDocument = z.infer<typeof bootDocument>;
