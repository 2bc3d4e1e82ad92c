/** What the agent's state is, for whoever asks and for the pages that follow it. */
import type { SleepAfter } from "../../protocol/agent.ts";
import type { AgentStatus } from "../agent-calls.ts";
import type { ChannelsRoom } from "../channels/channels.ts";
import type { AgentBackups } from "./backups/agent-backups.ts";
import type { AgentLife } from "./agent-life.ts";
import { isStarting } from "./lifecycle.ts";
import type { LifeStore } from "./store/life.ts";
import type { WaitState } from "./waiting-page.ts";
import { Watchers } from "./watchers.ts";

export interface StatusParts {
  agentId: string;
  life: AgentLife;
  store: LifeStore;
  /** Whether a bucket is bound. */
  kept: boolean;
  backups: AgentBackups;
  channels: ChannelsRoom;
  sleepAfter(): SleepAfter;
}

/** What a page shows beside the status itself. */
export const MATTERS = ["devices", "audit", "backups", "channels", "spend", "egress"] as const;
export type Matter = (typeof MATTERS)[number];

export class StatusBoard {
  readonly #parts: StatusParts;
  /** They begin at the time, so that they also grow over a restart of the Durable Object. */
  readonly #revisions: Map<Matter, number>;
  readonly #watchers = new Watchers();

  constructor(parts: StatusParts) {
    this.#parts = parts;
    const now = Date.now();
    this.#revisions = new Map(MATTERS.map((matter) => [matter, now]));
  }

  /** Pages that follow are told; they fetch what they show of it. */
  changed(matter: Matter): void {
    this.#revisions.set(matter, (this.#revisions.get(matter) ?? 0) + 1);
    this.tell();
  }

  tell(): void {
    this.#watchers.tell(this.waitState());
  }

  /**
   * Server-sent events, beginning with the present state.
   *
   * @param guest whoever came by a session or a credential, which can be ended
   */
  follow(guest: boolean): Response {
    return this.#watchers.open(this.waitState(), guest);
  }

  endGuests(): void {
    this.#watchers.endGuests();
  }

  waitState(): AgentStatus & WaitState {
    const status = this.status();
    const now = Date.now();
    return {
      ...status,
      elapsed: now - status.since,
      ...(status.retryAt === undefined ? {} : { retryIn: Math.max(0, status.retryAt - now) }),
    };
  }

  status(): AgentStatus {
    const { agentId, store, kept, backups, channels, sleepAfter } = this.#parts;
    const { life, supervisor } = this.#parts.life;
    const timings = store.timings(life.startGeneration);
    if (isStarting(life.phase)) timings.push({ phase: life.phase, ms: Date.now() - life.since });
    return {
      revisions: Object.fromEntries(this.#revisions),
      agentId,
      phase: life.phase,
      since: life.since,
      startGeneration: life.startGeneration,
      timings,
      ...(life.lastError === undefined ? {} : { lastError: life.lastError }),
      ...(life.retryAt === undefined ? {} : { retryAt: life.retryAt }),
      ...(supervisor === undefined ? {} : { supervisor }),
      kept,
      ...backups.health(),
      sleepAfter: sleepAfter(),
      channels: channels.counts,
    };
  }
}
