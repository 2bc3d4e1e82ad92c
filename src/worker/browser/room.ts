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
import { type OpeningLimits, Openings } from "./openings.ts";
import { BrowserService, type BrowserBinding } from "./service.ts";
import { Sightings } from "./sightings.ts";
import { BrowserStore } from "./store.ts";
import { Upkeep, type UpkeepLimits } from "./upkeep.ts";

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

export type BrowserLimits = OpeningLimits & UpkeepLimits;

export const BROWSER_LIMITS: BrowserLimits = {
  most: 4,
  longest: 2 * 3_600_000,
  keepAlive: 600_000,
  wait: 20_000,
  watch: 5_000,
};

const OFF =
  "Browsing is off: no browser is bound. On your machine install Chromium and start again, or give its path with --browser; on Cloudflare add a browser binding named BROWSER.";

export class BrowserRoom extends RpcTarget implements BrowserCalls {
  readonly #parts: BrowserRoomParts;
  readonly #store: BrowserStore;
  readonly #service: BrowserService | undefined;
  readonly #sightings = new Sightings();
  readonly #upkeep: Upkeep;
  readonly #openings: Openings;

  constructor(parts: BrowserRoomParts) {
    super();
    this.#parts = parts;
    const { sql, agentId, binding, dayCapMs, limits } = parts;
    this.#store = new BrowserStore(sql, agentId);
    this.#service = binding === undefined ? undefined : new BrowserService(binding);
    const now = () => parts.now();
    this.#upkeep = new Upkeep({
      ...{ store: this.#store, sightings: this.#sightings, service: this.#service },
      ...{ dayCapMs, limits, now },
    });
    this.#openings = new Openings({ store: this.#store, upkeep: this.#upkeep, limits, now });
  }

  async open(caller: BrowserCaller, wanted: WantedSession): Promise<Opened> {
    const service = this.#service;
    if (service === undefined) return { ok: false, reason: "off", message: OFF };
    const stale = this.#stale(caller);
    if (stale !== undefined) return stale;
    const over = await this.#upkeep.overCap();
    if (over !== undefined) return over;
    const opened = await this.#openings.open(service, caller, wanted);
    if (opened.ok) this.#sightings.used(opened.sessionId, this.#parts.now());
    return opened;
  }

  async sessionsOf(caller: BrowserCaller): Promise<string[]> {
    if (this.#stale(caller) !== undefined) return [];
    return this.#openings
      .seenBy(caller)
      .toSorted((a, b) => Number(b.shared) - Number(a.shared))
      .map(({ id }) => id);
  }

  async gone(sessionId: string): Promise<void> {
    await this.lookAfter();
    this.#upkeep.forget(sessionId, undefined);
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
    return this.#upkeep.end(row);
  }

  /** The agent's sandbox is gone, and with it whoever used its sessions. */
  async agentStopped(): Promise<void> {
    const rows = this.#store.live().filter(({ holder }) => holder === "agent");
    await Promise.all(rows.map((row) => this.#upkeep.end(row)));
  }

  /** @returns what is wrong with the service, if anything is */
  lookAfter(): Promise<string | undefined> {
    return this.#upkeep.lookAfter();
  }

  #stale({ holder, startGeneration }: BrowserCaller): Opened | undefined {
    if (holder === "outside" || startGeneration === this.#parts.startGeneration()) return undefined;
    return { ok: false, reason: "stale", message: "That start of the agent is over." };
  }
}
