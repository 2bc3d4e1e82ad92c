/** What a scripted sandbox (`agent-sandbox.ts`) does from its start on. */

/** A device in the answer to `device.pair.list`. */
export interface DeviceRow {
  deviceId: string;
  requestId?: string;
  displayName?: string;
  ts?: number;
  lastSeenAtMs?: number;
  connected?: boolean;
  tokens?: { lastUsedAtMs?: number }[];
}

export interface Scenario {
  crashAtStart?: number;
  crashAtBoot?: number;
  silentMs?: number;
  bootMs?: number;
  protocol?: number;
  gateway?: "ready" | "failed" | "never";
  gatewayMs?: number;
  gatewayError?: string;
  connections?: number;
  busy?: boolean;
  /** Why it may not be put to sleep. */
  awake?: "busy" | "not-kept";
  /** Milliseconds for which its state has not been kept. */
  unkeptFor?: number;
  /** Why the backup at a stop failed. */
  lastBackup?: string;
  /** How long a stop takes. */
  stopMs?: number;
  /** A stop is never answered. */
  stopFails?: boolean;
  /** Why a backup fails. */
  unkeepable?: "store" | "closed" | "broken" | "invalid";
  pending?: DeviceRow[];
  paired?: DeviceRow[];
  approveFails?: boolean;
  devicesFail?: boolean;
  /** What the gateway's listener answers to a message; taken by default. */
  listener?: "takes" | "refuses" | "is not there";
  /** The gateway ends at the first message, which it does not take, and is started again after so long. */
  gatewayAwayMs?: number;
  /** False when no backup is ever committed. */
  keeps?: boolean;
  /** How long a message is with the gateway before a backup holds it. */
  keepMs?: number;
  /** When the next scheduled job is due. */
  nextDue?: number | null;
}
