/**
 * When the agent is up: what counts as activity, what has to wake it, and when the alarm looks next.
 * Only authenticated traffic and the agent's own work count.
 */
import type { SleepAfter } from "../../protocol/agent.ts";
import type { Panic } from "../audit/panic.ts";
import type { ChannelsRoom } from "../channels/channels.ts";
import type { AgentLife } from "./agent-life.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import type { Budget } from "./budget.ts";
import type { DueRun } from "./due-run.ts";
import { decide, type Next, type Situation } from "./keep-alive.ts";
import type { Leftover } from "./leftover.ts";
import type { LifeStore } from "./store/life.ts";

export interface WakefulnessParts {
  alarm: AlarmClock;
  store: LifeStore;
  budget: Budget;
  life: AgentLife;
  leftover: Leftover;
  channels: ChannelsRoom;
  due: DueRun;
  panic: Panic;
  sleepAfter(): SleepAfter;
}

export class Wakefulness {
  readonly #parts: WakefulnessParts;
  #lastActivity: number;
  #activityWritten: number;

  /** @param lastActivity as it was stored, in milliseconds since the epoch */
  constructor(parts: WakefulnessParts, lastActivity: number) {
    this.#parts = parts;
    this.#lastActivity = lastActivity;
    this.#activityWritten = lastActivity;
  }

  /** Somebody who is let in asked for something, or the agent works. */
  touch(now: number): void {
    const { budget, store } = this.#parts;
    this.#lastActivity = now;
    if (now - this.#activityWritten < budget.activityWrite) return;
    this.#activityWritten = now;
    store.setLastActivity(now);
  }

  get working(): boolean {
    const { life, channels, due } = this.#parts;
    const { supervisor } = life;
    const busy =
      supervisor !== undefined && (supervisor.connections > 0 || supervisor.busy === true);
    return busy || channels.busy || due.isSoon(Date.now());
  }

  next(): Next {
    const { life, leftover, budget, sleepAfter } = this.#parts;
    return decide(
      {
        life: life.life,
        lastActivity: this.#lastActivity,
        working: this.working,
        unanswered: life.unanswered,
        leftover: leftover.runs,
        sleepAfter: sleepAfter(),
        ...this.#wanted(),
      },
      Date.now(),
      budget,
    );
  }

  async schedule(): Promise<void> {
    const next = this.next();
    await this.#parts.alarm.set(next.act === "nothing" ? next.alarmAt : Date.now());
  }

  /** What the alarm has to happen for besides the sandbox itself. */
  #wanted(): Pick<Situation, "wakeAt" | "lookAt"> {
    const { panic, channels, life, due, sleepAfter } = this.#parts;
    if (panic.held !== undefined) return {};
    const { tendAt } = channels;
    const slept = life.phase === "stopped" && sleepAfter() !== "never";
    const dueAt = slept ? due.wakeAt() : undefined;
    const wakeAt = channels.wakeful ? 0 : dueAt;
    return {
      ...(wakeAt === undefined ? {} : { wakeAt }),
      ...(tendAt === undefined ? {} : { lookAt: tendAt }),
    };
  }
}
