/**
 * Looks after the sessions that there are, for as long as there are any: compares what is stored with what the
 * service knows, notes which pages are open, and ends what has to end.
 */
import type { Done } from "../done.ts";
import type { Opened } from "./calls.ts";
import type { ActiveSession, BrowserService } from "./service.ts";
import type { Sightings } from "./sightings.ts";
import type { BrowserStore, SessionRow } from "./store.ts";

export interface UpkeepLimits {
  /** A session ends after this however busy it is. */
  longest: number;
  /** A session that nobody uses for this long ends, by the service or by us. */
  keepAlive: number;
  /** How often sessions are looked after while there are any. */
  watch: number;
}

export interface UpkeepParts {
  store: BrowserStore;
  sightings: Sightings;
  /** Undefined when no browser is bound. */
  service: BrowserService | undefined;
  dayCapMs: number | undefined;
  limits: UpkeepLimits;
  now(): number;
}

const DAY_MS = 86_400_000;

export class Upkeep {
  readonly #parts: UpkeepParts;
  #watch: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    if (parts.store.live().length > 0) this.watchSoon();
  }

  watchSoon(): void {
    if (this.#watch !== undefined) return;
    const { store, dayCapMs, limits, now } = this.#parts;
    const left = (dayCapMs ?? Infinity) - store.usedToday(now());
    this.#watch = setTimeout(
      () => {
        this.#watch = undefined;
        void this.lookAfter().then(() => {
          if (store.live().length > 0) this.watchSoon();
        });
      },
      Math.max(50, Math.min(limits.watch, left)),
    );
  }

  /** @returns what is wrong with the service, if anything is */
  async lookAfter(): Promise<string | undefined> {
    const { store, service, now } = this.#parts;
    const rows = store.live();
    if (service === undefined) {
      // Taken away with the sessions it had: nobody can say when they end.
      for (const { id } of rows) this.forget(id, undefined);
    }
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
    const over = store.live().filter((row) => this.#isOver(row, now()));
    for (const row of over) await this.end(row);
    await this.overCap();
    return undefined;
  }

  /** Past the day's cap every session ends. @returns the refusal of another one */
  async overCap(): Promise<Opened | undefined> {
    const { store, dayCapMs, now } = this.#parts;
    if (dayCapMs === undefined || store.usedToday(now()) < dayCapMs) return undefined;
    for (const row of store.live()) await this.end(row);
    return {
      ok: false,
      reason: "cap",
      message: `The browsing time of today is used up (BROWSER_DAY_CAP: ${Math.round(dayCapMs / 60_000)} min). It begins anew at midnight UTC.`,
      retryAfter: Math.ceil((DAY_MS - (now() % DAY_MS)) / 1_000),
    };
  }

  async end(row: SessionRow): Promise<Done> {
    try {
      await this.#parts.service?.close(row.id);
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    }
    this.forget(row.id, this.#parts.now());
    return { ok: true };
  }

  /** @param endedAt undefined when nobody knows */
  forget(id: string, endedAt: number | undefined): void {
    this.#parts.store.end(id, endedAt);
    this.#parts.sightings.forget(id);
  }

  /**
   * The service sees our own look at a session's pages and may take it for use, so that one nobody is
   * connected to is ended here.
   */
  #isOver({ id, startedAt }: SessionRow, now: number): boolean {
    const { limits, sightings } = this.#parts;
    const idle = sightings.idle(id, now);
    return now - startedAt > limits.longest || idle > limits.keepAlive;
  }

  async #noteEnded(service: BrowserService, rows: SessionRow[]): Promise<void> {
    if (rows.length === 0) return;
    const history = await service.history().catch(() => []);
    for (const { id } of rows) {
      const ended = history.find(({ sessionId }) => sessionId === id);
      this.forget(id, ended?.endTime ?? undefined);
    }
  }

  async #noteAlive(
    service: BrowserService,
    row: SessionRow,
    { connectionId }: ActiveSession,
  ): Promise<void> {
    const { store, sightings } = this.#parts;
    const now = this.#parts.now();
    store.seen(row.id, now);
    sightings.connected(row.id, typeof connectionId === "string", now);
    const targets = await service.targets(row.id).catch(() => undefined);
    if (targets === undefined) return;
    const pages = targets.filter(({ type }) => type === "page").map(({ url }) => url);
    for (const page of sightings.pages(row.id, pages)) store.visit(row, page, now);
  }
}
