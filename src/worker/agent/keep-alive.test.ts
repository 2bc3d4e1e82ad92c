import { describe, expect, it } from "vitest";
import { BUDGET } from "./budget.ts";
import { decide, type Situation } from "./keep-alive.ts";
import type { Life } from "./lifecycle.ts";

const now = 10_000_000;
const minute = 60_000;
const life: Life = { phase: "ready", since: 0, startGeneration: 1, failures: 0 };
const idle: Situation = {
  life,
  lastActivity: now - 20 * minute,
  working: false,
  sleepAfter: "never",
};

describe("the alarm", () => {
  it.each<[string, Partial<Situation>, ReturnType<typeof decide>]>([
    [
      "keeps an agent alive that never sleeps",
      {},
      { act: "nothing", alarmAt: now + BUDGET.keepAlive },
    ],
    [
      "looks again soon when the supervisor did not answer",
      { unanswered: true },
      { act: "nothing", alarmAt: now + BUDGET.unanswered },
    ],
    [
      "stops one that idled for long enough",
      { sleepAfter: 10 * minute },
      { act: "drain", alarmAt: now + BUDGET.startWatch },
    ],
    [
      "lets one be that works",
      { sleepAfter: 10 * minute, working: true },
      { act: "nothing", alarmAt: now + BUDGET.keepAlive },
    ],
    [
      "looks again when the time is up",
      { sleepAfter: 21 * minute },
      { act: "nothing", alarmAt: now + minute },
    ],
    [
      "does not stop one that has only just become ready",
      { sleepAfter: 10 * minute, life: { ...life, since: now - minute } },
      { act: "nothing", alarmAt: now + BUDGET.keepAlive },
    ],
    [
      "leaves a stopped one alone",
      { life: { ...life, phase: "stopped" }, sleepAfter: 1 },
      { act: "nothing" },
    ],
    [
      "has a sandbox ended again that outlived its stop",
      { life: { ...life, phase: "stopped" }, leftover: true },
      { act: "nothing", alarmAt: now + BUDGET.startWatch },
    ],
    [
      "looks after a start",
      { life: { ...life, phase: "booting" }, sleepAfter: 1 },
      { act: "nothing", alarmAt: now + BUDGET.startWatch },
    ],
    [
      "waits for a retry",
      { life: { ...life, phase: "failed", retryAt: now + 5 } },
      { act: "nothing", alarmAt: now + 5 },
    ],
    [
      "starts a due retry",
      { life: { ...life, phase: "failed", retryAt: now } },
      { act: "start", alarmAt: now + BUDGET.startWatch },
    ],
    [
      "gives up retrying for nobody",
      { life: { ...life, phase: "failed", retryAt: now }, sleepAfter: minute },
      { act: "drain", alarmAt: now + BUDGET.startWatch },
    ],
    [
      "starts one that sleeps while a message waits",
      { life: { ...life, phase: "stopped" }, wakeAt: 0 },
      { act: "start", alarmAt: now + BUDGET.startWatch },
    ],
    [
      "waits for a job that is due later",
      { life: { ...life, phase: "stopped" }, wakeAt: now + minute },
      { act: "nothing", alarmAt: now + minute },
    ],
    [
      "looks after a connection of one that sleeps",
      { life: { ...life, phase: "stopped" }, lookAt: now + 5 },
      { act: "nothing", alarmAt: now + 5 },
    ],
  ])("%s", (_name, change, expected) => {
    expect(decide({ ...idle, ...change }, now, BUDGET)).toEqual(expected);
  });

  it("fires more often than the platform's inactivity timeout", () => {
    expect(BUDGET.keepAlive).toBeLessThan(BUDGET.inactivity / 2);
  });
});
