/**
 * A day of the sandbox, second by second, as the Durable Object's own decisions make it: when it is
 * started, kept and put to sleep. The clock is made up, the decisions are the product's.
 */
import { BUDGET } from "../../src/worker/agent/budget.ts";
import { DueRun } from "../../src/worker/agent/due-run.ts";
import { decide } from "../../src/worker/agent/keep-alive.ts";
import type { Life } from "../../src/worker/agent/lifecycle.ts";
import type { SleepAfter } from "../../src/protocol/agent.ts";
import { JOBS, MESSAGES } from "./light-user.ts";

const DAY_S = 86_400;

export interface Costs {
  /** Seconds of a start, of a last backup with the end of the sandbox, and of one turn. */
  startS: number;
  endS: number;
  turnS: number;
}

export interface Day {
  /** Seconds for which a sandbox ran. */
  runningS: number;
  starts: number;
  turns: number;
}

/** The day begins asleep, or awake when it never sleeps. */
export function dayOf(sleepAfter: SleepAfter, { startS, endS, turnS }: Costs): Day {
  const due = dueRuns(startS);
  const day: Day = { runningS: 0, starts: 0, turns: 0 };
  let life: Life = lifeIn(sleepAfter === "never" ? "ready" : "stopped", 0);
  let phaseEnds = 0;
  let waiting = 0;
  let jobs = [...JOBS];
  let workEnds = 0;
  let lastActivity = 0;
  for (let second = 0; second < DAY_S; second += 1) {
    const now = second * 1_000;
    const come = MESSAGES.filter((at) => at === second).length;
    waiting += come;
    if (come > 0) lastActivity = now;
    if (life.phase === "starting" && second >= phaseEnds) life = lifeIn("ready", now);
    if (life.phase === "draining" && second >= phaseEnds) life = lifeIn("stopped", now);
    if (life.phase === "ready") {
      const ready = jobs.filter((at) => at <= second).length;
      jobs = jobs.slice(ready);
      due.observe(jobs[0] === undefined ? null : jobs[0] * 1_000);
      if (waiting + ready > 0) workEnds = Math.max(workEnds, second) + turnS * (waiting + ready);
      day.turns += waiting + ready;
      waiting = 0;
    }
    const working = second < workEnds || due.isSoon(now);
    if (second < workEnds) lastActivity = now;
    const wakeAt = waiting > 0 ? 0 : due.wakeAt();
    const { act } = decide(
      { life, lastActivity, working, sleepAfter, ...(wakeAt === undefined ? {} : { wakeAt }) },
      now,
      BUDGET,
    );
    if (act === "start") {
      if (waiting === 0) due.woke(now);
      day.starts += 1;
      life = lifeIn("starting", now);
      phaseEnds = second + startS;
    } else if (act === "drain") {
      life = lifeIn("draining", now);
      phaseEnds = second + endS;
    }
    if (life.phase !== "stopped") day.runningS += 1;
  }
  return day;
}

/** Of a gateway that ran yesterday, so that the first job of the day is known. */
function dueRuns(startS: number): DueRun {
  const kept = new Map<string, string>();
  const due = new DueRun(
    { setting: (name) => kept.get(name), setSetting: (name, value) => void kept.set(name, value) },
    () => startS * 1_000,
  );
  due.observe((JOBS[0] ?? 0) * 1_000);
  return due;
}

function lifeIn(phase: Life["phase"], since: number): Life {
  return { phase, since, startGeneration: 1, failures: 0 };
}
