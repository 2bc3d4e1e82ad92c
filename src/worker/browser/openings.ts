/**
 * Which session a caller gets: its one usual session, a fresh one, or one that it names. Never more than an
 * agent may have at a time; waits a while when the service has no place.
 */
import { pause } from "../agent/budget.ts";
import type { BrowserCaller, Opened, WantedSession } from "./calls.ts";
import type { BrowserService } from "./service.ts";
import type { BrowserStore, SessionRow } from "./store.ts";
import type { Upkeep } from "./upkeep.ts";

export interface OpeningLimits {
  /** Sessions of one agent at a time. */
  most: number;
  /** A session that nobody uses for this long ends. */
  keepAlive: number;
  /** How long a caller waits for a place at the service. */
  wait: number;
}

export interface OpeningsParts {
  store: BrowserStore;
  upkeep: Pick<Upkeep, "lookAfter" | "forget" | "watchSoon">;
  limits: OpeningLimits;
  now(): number;
}

export class Openings {
  readonly #parts: OpeningsParts;
  readonly #opening = new Map<string, Promise<Opened>>();
  #acquiring = 0;

  constructor(parts: OpeningsParts) {
    this.#parts = parts;
  }

  async open(
    service: BrowserService,
    caller: BrowserCaller,
    wanted: WantedSession,
  ): Promise<Opened> {
    if (typeof wanted === "object") return this.#known(caller, wanted.id);
    if (wanted === "fresh") return this.#acquire(service, caller, false);
    // Whoever comes at the same time gets the same one.
    const key = caller.holder;
    const opening = this.#opening.get(key) ?? this.#openShared(service, caller);
    this.#opening.set(key, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(key);
    }
  }

  /** The agent sees its own sessions only; whoever holds the CDP secret sees all. */
  seenBy({ holder }: BrowserCaller): SessionRow[] {
    const live = this.#parts.store.live();
    const own = live.filter((row) => row.holder === holder);
    return holder === "agent" ? own : [...own, ...live.filter((row) => row.holder !== holder)];
  }

  async #openShared(service: BrowserService, caller: BrowserCaller): Promise<Opened> {
    const { store, upkeep } = this.#parts;
    const row = store.live().find(({ shared, holder }) => shared && holder === caller.holder);
    if (row !== undefined) {
      try {
        const alive = await service.session(row.id);
        if (alive !== undefined) return { ok: true, sessionId: row.id };
      } catch (error) {
        // It may be alive: forgotten, nothing would count its time or end it.
        return unreachable(error);
      }
      await upkeep.lookAfter();
      upkeep.forget(row.id, undefined);
    }
    return this.#acquire(service, caller, true);
  }

  async #acquire(service: BrowserService, caller: BrowserCaller, shared: boolean): Promise<Opened> {
    const { upkeep, limits, now } = this.#parts;
    if (this.#isFull()) await upkeep.lookAfter();
    if (this.#isFull()) {
      return {
        ok: false,
        reason: "limit",
        message: `This agent has ${limits.most} browser sessions already. Use one of them, or release one on the admin page.`,
      };
    }
    this.#acquiring += 1;
    try {
      const until = now() + limits.wait;
      for (;;) {
        const acquired = await service.acquire(limits.keepAlive);
        if (acquired.ok) return this.#begin(caller, acquired.sessionId, shared);
        if (acquired.reason === "unreachable") return acquired;
        const { retryAfter, message } = acquired;
        if (now() + retryAfter * 1_000 > until) {
          return { ok: false, reason: "limit", retryAfter, message };
        }
        await pause(retryAfter * 1_000);
      }
    } catch (error) {
      return unreachable(error);
    } finally {
      this.#acquiring -= 1;
    }
  }

  #isFull(): boolean {
    const { store, limits } = this.#parts;
    return store.live().length + this.#acquiring >= limits.most;
  }

  #begin({ holder, from }: BrowserCaller, sessionId: string, shared: boolean): Opened {
    const { store, upkeep, now } = this.#parts;
    store.begin({ id: sessionId, holder, address: from, shared, startedAt: now() });
    upkeep.watchSoon();
    return { ok: true, sessionId };
  }

  #known(caller: BrowserCaller, id: string): Opened {
    if (this.seenBy(caller).some((row) => row.id === id)) return { ok: true, sessionId: id };
    const message = "That browser session has ended. Ask /json/version for another one.";
    return { ok: false, reason: "expired", message };
  }
}

function unreachable(error: unknown): Opened {
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, reason: "unreachable", message };
}
