/**
 * What the alarm does next. Pure.
 *
 * Only authenticated traffic and the agent's own work count as activity; nothing a stranger sends
 * keeps a sandbox alive or wakes one.
 */
import type { SleepAfter } from "../../protocol/agent.ts";
import type { Budget } from "./budget.ts";
import { isStarting, type Life } from "./lifecycle.ts";

export interface Situation {
  life: Life;
  /** Milliseconds since the epoch of the last authenticated request. */
  lastActivity: number;
  /** Open client sockets, requests under way, or a turn the gateway works on. */
  working: boolean;
  /** The supervisor did not answer the latest question. */
  unanswered?: boolean;
  sleepAfter: SleepAfter;
  /** When the agent has to be up: a message waits, or a job is due. */
  wakeAt?: number;
  /** When something outside the sandbox wants to be seen to. */
  lookAt?: number;
  /** A sandbox runs that should be gone: its end is asked for again. */
  leftover?: boolean;
}

export interface Next {
  act: "nothing" | "start" | "drain";
  /** When to look again; undefined when nothing will happen by itself. */
  alarmAt?: number;
}

export function decide(situation: Situation, now: number, budget: Budget): Next {
  const { act, alarmAt } = decideLife(situation, now, budget);
  const leftoverAt = situation.leftover === true ? now + budget.startWatch : Infinity;
  const at = Math.min(alarmAt ?? Infinity, situation.lookAt ?? Infinity, leftoverAt);
  return Number.isFinite(at) ? { act, alarmAt: at } : { act };
}

function decideLife(situation: Situation, now: number, budget: Budget): Next {
  const { life, wakeAt } = situation;
  if (life.phase === "stopped") {
    if (wakeAt === undefined) return { act: "nothing" };
    return wakeAt <= now
      ? { act: "start", alarmAt: now + budget.startWatch }
      : { act: "nothing", alarmAt: wakeAt };
  }
  if (life.phase === "draining" || isStarting(life.phase)) {
    return { act: "nothing", alarmAt: now + budget.startWatch };
  }
  const idleAt = situation.working ? Number.POSITIVE_INFINITY : sleepsAt(situation);
  if (idleAt <= now) return { act: "drain", alarmAt: now + budget.startWatch };
  if (life.phase === "failed") {
    const retryAt = life.retryAt ?? now;
    return retryAt <= now
      ? { act: "start", alarmAt: now + budget.startWatch }
      : { act: "nothing", alarmAt: Math.min(retryAt, idleAt) };
  }
  const again = situation.unanswered === true ? budget.unanswered : budget.keepAlive;
  return { act: "nothing", alarmAt: Math.min(now + again, idleAt) };
}

/** A sandbox that took long to start is not idle before it was ready for that long. */
function sleepsAt({ life, lastActivity, sleepAfter }: Situation): number {
  if (sleepAfter === "never") return Number.POSITIVE_INFINITY;
  const since = life.phase === "ready" ? Math.max(lastActivity, life.since) : lastActivity;
  return since + sleepAfter;
}
