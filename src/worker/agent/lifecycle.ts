/**
 * The life of one agent as data. No I/O and no clock: `now` is passed in.
 *
 * What is not in the table does not happen: `next` answers undefined and the caller ignores the
 * event, so a late answer of an abandoned start can never move the agent.
 */
import type { Phase } from "../../protocol/phase.ts";
import { BUDGET } from "./budget.ts";

export const EVENTS = [
  /** Somebody wants the agent, or a retry is due. */
  "wanted",
  /** The supervisor answered on its control port. */
  "answered",
  /** The boot document is taken and the state is in place. */
  "restored",
  /** The gateway says that it is ready. */
  "gateway-ready",
  /** A live sandbox of the present generation was found, its gateway still starting. */
  "adopted-starting",
  /** A live sandbox of the present generation was found, its gateway ready. */
  "adopted-ready",
  /** A step failed, a deadline passed, or the sandbox is gone. */
  "fault",
  /** The agent is to stop: asked for, or idle for long enough. */
  "drain",
  /** The sandbox is destroyed after a drain. */
  "gone",
] as const;

export type LifeEvent = (typeof EVENTS)[number];

const TABLE: Record<Phase, Partial<Record<LifeEvent, Phase>>> = {
  stopped: { wanted: "starting" },
  starting: { answered: "restoring", fault: "failed", drain: "draining" },
  restoring: {
    restored: "booting",
    "adopted-starting": "booting",
    "adopted-ready": "ready",
    fault: "failed",
    drain: "draining",
  },
  booting: {
    "gateway-ready": "ready",
    "adopted-starting": "booting",
    "adopted-ready": "ready",
    fault: "failed",
    drain: "draining",
  },
  ready: {
    "adopted-starting": "booting",
    "adopted-ready": "ready",
    fault: "failed",
    drain: "draining",
  },
  draining: { gone: "stopped" },
  failed: { wanted: "starting", drain: "draining" },
};

export function next(phase: Phase, event: LifeEvent): Phase | undefined {
  return TABLE[phase][event];
}

/** Phases in which a sandbox should exist. */
export function isLive(phase: Phase): boolean {
  return phase !== "stopped" && phase !== "failed";
}

/** Phases on the way from `stopped` to `ready`. */
export function isStarting(phase: Phase): boolean {
  return phase === "starting" || phase === "restoring" || phase === "booting";
}

/** Where the agent is, as it is stored. */
export interface Life {
  phase: Phase;
  /** Milliseconds since the epoch at which the phase began. */
  since: number;
  startGeneration: number;
  /** Failures in a row; a gateway that stayed ready for `STEADY_MS`, and a stop, end the row. */
  failures: number;
  /** The real last error; kept until a start succeeds. */
  lastError?: string;
  /** When a failed start is tried again. */
  retryAt?: number;
}

/**
 * A gateway that was ready for this long works. The gateway's own breaker, which counts unclean boots
 * over five minutes, does not matter here: the supervisor takes its marks away before each boot.
 */
export const STEADY_MS = 60_000;

/** One that came to be ready at all is tried again this soon however often it failed: messages wait. */
const READY_RETRY_MS = 60_000;

export interface Fault {
  error: string;
  /** Waits after the first, second, … failure in a row, in milliseconds. */
  retry: readonly number[];
  /** The agent itself did nothing wrong: the first failure of a row is tried again at once. */
  blameless?: boolean;
}

const UNKNOWN_FAULT: Fault = {
  error: "The sandbox failed without saying why.",
  retry: BUDGET.retry,
};

/** The life after `event`, or undefined when the event means nothing in this phase. */
export function advance(
  life: Life,
  event: LifeEvent,
  now: number,
  fault: Fault = UNKNOWN_FAULT,
): Life | undefined {
  const phase = next(life.phase, event);
  if (phase === undefined) return undefined;
  const { lastError, retryAt: _, ...rest } = life;
  const kept = lastError === undefined ? {} : { lastError };
  if (event === "fault") {
    const failures = steady(life, now) ? 0 : life.failures;
    return {
      ...rest,
      phase,
      since: now,
      failures: failures + 1,
      lastError: fault.error,
      retryAt: now + retryDelay(failures, life.phase === "ready", fault),
    };
  }
  if (event === "wanted") {
    return { ...rest, ...kept, phase, since: now, startGeneration: life.startGeneration + 1 };
  }
  if (event === "gateway-ready") return { ...rest, phase, since: now };
  if (event === "gone") return { ...rest, ...kept, phase, since: now, failures: 0 };
  return { ...rest, ...kept, phase, since: phase === life.phase ? life.since : now };
}

function steady(life: Life, now: number): boolean {
  return life.phase === "ready" && now - life.since >= STEADY_MS;
}

function retryDelay(failuresBefore: number, wasReady: boolean, fault: Fault): number {
  const { retry, blameless } = fault;
  if (failuresBefore === 0 && (wasReady || blameless === true)) return 0;
  const delay = retry[Math.min(failuresBefore, retry.length - 1)] ?? 0;
  return wasReady ? Math.min(delay, READY_RETRY_MS) : delay;
}
