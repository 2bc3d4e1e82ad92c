/** Something that happened to an agent, kept for the person who asks why. */
export interface AgentEvent {
  /** Grows by one an event. */
  n: number;
  /** Milliseconds since the epoch. */
  at: number;
  kind:
    | "phase"
    | "sandbox-exit"
    | "adopted"
    | "unrecorded-device"
    | "device"
    | "stale-report"
    | "backup"
    | "channel";
  text: string;
}

/** How long an agent may idle before its sandbox stops: a number is milliseconds. */
export type SleepAfter = "never" | number;
