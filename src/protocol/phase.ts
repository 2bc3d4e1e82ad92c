/** Where an agent is in its life. `failed` carries its reason beside the phase. */
export const PHASES = [
  "stopped",
  "starting",
  "restoring",
  "booting",
  "ready",
  "draining",
  "failed",
] as const;

export type Phase = (typeof PHASES)[number];

/** How long one phase of the latest start took, in milliseconds. */
export interface PhaseTiming {
  phase: Phase;
  ms: number;
}
