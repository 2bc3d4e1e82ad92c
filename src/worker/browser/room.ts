/**
 * The browser room of one agent's Durable Object: which sessions there are, whose they are, how long
 * they have run, and when they must end. The frames of a session never pass through here.
 *
 * Fails closed: without a binding, past the day's cap or from an earlier start there is no browser.
 */
import { RpcTarget } from "cloudflare:workers";
import type { BrowserOverview } from "../../protocol/browser.ts";
import type { Sql } from "../agent/store/schema.ts";
import type { Done } from "../done.ts";
import type { BrowserCaller, BrowserCalls, Opened, WantedSession } from "./calls.ts";
import { type ActiveSession, BrowserService, type BrowserBinding } from "./service.ts";
import { Sightings } from "./sightings.ts";
import { BrowserStore, type SessionRow } from "./store.ts";

export interface BrowserRoomParts {
  sql: Sql;
  agentId: string;
  binding: BrowserBinding | undefined;
  /** The start that is the agent's present one. */
  startGeneration(): number;
  /** Whether programs outside may connect. */
  outside: boolean;
  dayCapMs: number | undefined;
  limits: BrowserLimits;
  now(): number;
}

export interface BrowserLimits {
  /** Sessions of one agent at a time. */
  most: number;
  /** A session ends after this however busy it is. */
  longest: number;
  /** A session that nobody uses for this long ends, by the service or by us. */
  keepAlive: number;
  /** How long a caller waits for a place at the service. */
  wait: number;
  /** How often sessions are looked after while there are any. */
  watch: number;
}

export const BROWSER_LIMITS: BrowserLimits = {
  most: 4,
  longest: 2 * 3_600_000,
  keepAlive: 600_000,
  wait: 20_000,
  watch: 5_000,
};

const OFF =
  "Browsing is off: no browser is bound. On your machine install Chromium and start again, or give its path with --browser; on Cloudflare add a browser binding named BROWSER.";
const DAY_MS = 86_400_000;

export class BrowserRoom extends RpcTarget implements BrowserCalls {
  readonly #parts: BrowserRoomParts;
  readonly #store: BrowserStore;
  readonly #service: BrowserService | undefined;
  readonly #opening = new Map<string, Promise<Opened>>();
  #acquiring = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;
  readonly #sightings = new Sightings();

  constructor(parts: BrowserRoomParts) {
    super();
    this.#parts = parts;
    this.#store = new BrowserStore(parts.sql, parts.agentId);
    this.#service = parts.binding === undefined ? undefined : new BrowserService(parts.binding);
    if (this.#store.live().length > 0) this.#watchSoon();
  }

  async open(caller: BrowserCaller, wanted: WantedSession): Promise<Opened> {
    const service = this.#service;
    if (service === undefined) return { ok: false, reason: "off", message: OFF };
    const stale = this.#stale(caller);
    if (stale !== undefined) return stale;
    const over = await this.#overCap(service);
    if (over !== undefined) return over;
    const opened = await this.#open(service, caller, wanted);
    if (opened.ok) this.#sightings.used(opened.sessionId, this.#parts.now());
    return opened;
  }

  async #open(
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

  async sessionsOf(caller: BrowserCaller): Promise<string[]> {
    if (this.#stale(caller) !== undefined) return [];
    return this.#ofCaller(caller)
      .toSorted((a, b) => Number(b.shared) - Number(a.shared))
      .map(({ id }) => id);
  }

  async gone(sessionId: string): Promise<void> {
    await this.lookAfter();
    this.#forget(sessionId, undefined);
  }

  async overview(): Promise<BrowserOverview> {
    const { outside, dayCapMs } = this.#parts;
    const trouble = await this.lookAfter();
    return {
      available: this.#service !== undefined,
      ...(trouble === undefined ? {} : { trouble }),
      outside,
      sessions: this.#store.live().map((row) => this.#sightings.view(row)),
      usedTodayMs: this.#store.usedToday(this.#parts.now()),
      ...(dayCapMs === undefined ? {} : { dayCapMs }),
      visited: this.#store.visits(),
    };
  }

  async release(sessionId: string): Promise<Done> {
    const row = this.#store.live().find(({ id }) => id === sessionId);
    if (row === undefined) return { ok: false, reason: "There is no such session any more." };
    return this.#end(row);
  }

  /** The agent's sandbox is gone, and with it whoever used its sessions. */
  async agentStopped(): Promise<void> {
    const rows = this.#store.live().filter(({ holder }) => holder === "agent");
    await Promise.all(rows.map((row) => this.#end(row)));
  }

  /**
   * Compares what is stored with what the service knows, notes the pages that are open and ends what
   * has to end. Answers what is wrong with the service, if anything is.
   */
  async lookAfter(): Promise<string | undefined> {
    const service = this.#service;
    const rows = this.#store.live();
    if (service === undefined || rows.length === 0) return undefined;
    try {
      const active = new Map((await service.active()).map((each) => [each.sessionId, each]));
      await this.#noteEnded(
        service,
        rows.filter(({ id }) => !active.has(id)),
      );
      for (const row of rows) {
        const session = active.get(row.id);
        if (session !== undefined) await this.#noteAlive(service, row, session);
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const over = this.#store.live().filter((row) => this.#isOver(row, this.#parts.now()));
    for (const row of over) await this.#end(row);
    await this.#overCap(service);
    return undefined;
  }

  /**
   * The service sees our own look at a session's pages and may take it for use, so that one nobody is
   * connected to is ended here.
   */
  #isOver({ id, startedAt }: SessionRow, now: number): boolean {
    const { limits } = this.#parts;
    const idle = this.#sightings.idle(id, now);
    return now - startedAt > limits.longest || idle > limits.keepAlive;
  }

  async #openShared(service: BrowserService, caller: BrowserCaller): Promise<Opened> {
    const row = this.#store.live().find(({ shared, holder }) => shared && holder === caller.holder);
    if (row !== undefined) {
      const alive = await service.session(row.id).catch(() => undefined);
      if (alive !== undefined) return { ok: true, sessionId: row.id };
      await this.lookAfter();
      this.#forget(row.id, undefined);
    }
    return this.#acquire(service, caller, true);
  }

  async #acquire(service: BrowserService, caller: BrowserCaller, shared: boolean): Promise<Opened> {
    const { limits, now } = this.#parts;
    if (this.#store.live().length + this.#acquiring >= limits.most) await this.lookAfter();
    if (this.#store.live().length + this.#acquiring >= limits.most) {
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
        await scheduler.wait(retryAfter * 1_000);
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, reason: "unreachable", message };
    } finally {
      this.#acquiring -= 1;
    }
  }

  #begin({ holder, from }: BrowserCaller, sessionId: string, shared: boolean): Opened {
    const startedAt = this.#parts.now();
    this.#store.begin({ id: sessionId, holder, address: from, shared, startedAt });
    this.#watchSoon();
    return { ok: true, sessionId };
  }

  #known(caller: BrowserCaller, id: string): Opened {
    if (this.#ofCaller(caller).some((row) => row.id === id)) return { ok: true, sessionId: id };
    const message = "That browser session has ended. Ask /json/version for another one.";
    return { ok: false, reason: "expired", message };
  }

  /** The agent sees its own sessions only; whoever holds the CDP secret sees all. */
  #ofCaller({ holder }: BrowserCaller): SessionRow[] {
    const live = this.#store.live();
    const own = live.filter((row) => row.holder === holder);
    return holder === "agent" ? own : [...own, ...live.filter((row) => row.holder !== holder)];
  }

  #stale({ holder, startGeneration }: BrowserCaller): Opened | undefined {
    if (holder === "outside" || startGeneration === this.#parts.startGeneration()) return undefined;
    return { ok: false, reason: "stale", message: "That start of the agent is over." };
  }

  async #overCap(service: BrowserService): Promise<Opened | undefined> {
    const { dayCapMs, now } = this.#parts;
    if (dayCapMs === undefined || this.#store.usedToday(now()) < dayCapMs) return undefined;
    for (const row of this.#store.live()) await this.#end(row, service);
    return {
      ok: false,
      reason: "cap",
      message: `The browsing time of today is used up (BROWSER_DAY_CAP: ${Math.round(dayCapMs / 60_000)} min). It begins anew at midnight UTC.`,
      retryAfter: Math.ceil((DAY_MS - (now() % DAY_MS)) / 1_000),
    };
  }

  async #end(row: SessionRow, service = this.#service): Promise<Done> {
    try {
      await service?.close(row.id);
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    }
    this.#forget(row.id, this.#parts.now());
    return { ok: true };
  }

  #forget(id: string, endedAt: number | undefined): void {
    this.#store.end(id, endedAt);
    this.#sightings.forget(id);
  }

  async #noteEnded(service: BrowserService, rows: SessionRow[]): Promise<void> {
    if (rows.length === 0) return;
    const history = await service.history().catch(() => []);
    for (const { id } of rows) {
      const ended = history.find(({ sessionId }) => sessionId === id);
      this.#forget(id, ended?.endTime ?? undefined);
    }
  }

  async #noteAlive(
    service: BrowserService,
    row: SessionRow,
    { connectionId }: ActiveSession,
  ): Promise<void> {
    const now = this.#parts.now();
    this.#store.seen(row.id, now);
    this.#sightings.connected(row.id, typeof connectionId === "string", now);
    const targets = await service.targets(row.id).catch(() => undefined);
    if (targets === undefined) return;
    const pages = targets.filter(({ type }) => type === "page").map(({ url }) => url);
    for (const page of this.#sightings.pages(row.id, pages)) this.#store.visit(row, page, now);
  }

  #watchSoon(): void {
    if (this.#watch !== undefined) return;
    const { dayCapMs, limits, now } = this.#parts;
    const left = (dayCapMs ?? Infinity) - this.#store.usedToday(now());
    this.#watch = setTimeout(
      () => {
        this.#watch = undefined;
        void this.lookAfter().then(() => {
          if (this.#store.live().length > 0) this.#watchSoon();
        });
      },
      Math.max(50, Math.min(limits.watch, left)),
    );
  }
}
