/**
 * The spend room of one agent's Durable Object: everything about model calls that has to be known in
 * one place. The door between the AI gateway, the admin API and the ledger.
 */
import { RpcTarget } from "cloudflare:workers";
import type {
  RaiseRequest,
  RoutingSettings,
  SpendSettingsChange,
} from "../../../protocol/spend-settings.ts";
import type {
  CallsQuery,
  CallTexts,
  DaysQuery,
  ModelsOverview,
  RoutingReply,
  SpendCall,
  SpendDay,
  SpendOverview,
} from "../../../protocol/spend.ts";
import type { Sql } from "../../agent/store/schema.ts";
import { Circuits } from "../circuit.ts";
import { plan, refOf } from "../plan.ts";
import type { AiConfig } from "../providers.ts";
import { Alerts } from "./alerts.ts";
import { AnswerCache } from "./answer-cache.ts";
import { CallTextStore } from "./call-texts.ts";
import type {
  CallStart,
  Candidate,
  Changed,
  Opened,
  Refused,
  Reserved,
  Settlement,
  SpendCalls,
} from "./calls.ts";
import { onceMore } from "./caps.ts";
import { dayOf } from "./days.ts";
import { Ledger } from "./ledger.ts";
import { LedgerReport } from "./report.ts";
import { Routes, sourceOf, wayOf } from "./routes.ts";
import { migrateLedger } from "./schema.ts";
import { SettingsStore, type Defaults } from "./settings.ts";

const TIDY_EVERY_MS = 60 * 60_000;

export interface SpendParts {
  sql: Sql;
  agentId: string;
  config: AiConfig;
  /** `provider/model` that the agent is configured with. */
  configured: string;
  /** Of the configuration. */
  defaults: Defaults;
  /** The panic button holds the agent. */
  held(): boolean;
  /** Writes to the owner on a chat platform; absent when none is known. Answers whether it was taken. */
  tellOwner?: (text: string) => Promise<boolean>;
  /** Keeps the Durable Object up for what nobody waits for. */
  waitUntil(work: Promise<unknown>): void;
  fetch: typeof fetch;
  now(): number;
  /** What the overview says is another. */
  changed?(): void;
}

export class SpendRoom extends RpcTarget implements SpendCalls {
  readonly #parts: SpendParts;
  readonly #settings: SettingsStore;
  readonly #ledger: Ledger;
  readonly #report: LedgerReport;
  readonly #cache: AnswerCache;
  readonly #texts: CallTextStore;
  readonly #alerts: Alerts;
  readonly #circuits = new Circuits();
  readonly #routes: Routes;
  #tidied: number;

  constructor(parts: SpendParts) {
    super();
    const { sql, agentId } = parts;
    this.#parts = parts;
    migrateLedger(sql);
    const settings = new SettingsStore(sql, agentId, parts.defaults);
    this.#settings = settings;
    const { config, configured } = parts;
    this.#routes = new Routes({ config, configured, settings, circuits: this.#circuits });
    this.#ledger = new Ledger({
      sql,
      agentId,
      settings: () => settings.spend,
      raised: (day) => settings.raised(day),
      source: (provider) => sourceOf(provider, parts.config),
      route: (provider) => wayOf(provider, parts.config),
      now: parts.now,
    });
    this.#report = new LedgerReport(sql, agentId);
    this.#cache = new AnswerCache(sql, agentId);
    this.#texts = new CallTextStore(sql, agentId);
    this.#alerts = new Alerts({
      sql,
      agentId,
      fetch: parts.fetch,
      webhookUrl: () => settings.spend.webhookUrl,
      ...(parts.tellOwner === undefined ? {} : { tellOwner: parts.tellOwner }),
    });
    this.#tidied = parts.now();
    this.#ledger.tidy(this.#tidied);
  }

  async open(call: CallStart): Promise<Opened> {
    if (this.#parts.held()) return { to: "nowhere" };
    const now = this.#parts.now();
    this.#tidy(now);
    const { cache, texts } = this.#settings.spend;
    const answer = cache.enabled ? this.#cache.find(call.cacheKey, now) : undefined;
    if (answer !== undefined) {
      this.#ledger.noteCached(call, now);
      return { to: "cache", answer };
    }
    const { routing } = this.#settings;
    const candidates = plan(call.asked, call.wire, {
      config: this.#parts.config,
      configured: this.#parts.configured,
      routing,
      skipped: (candidate) => this.#circuits.skippedUntil(refOf(candidate), now) !== undefined,
    });
    const [first = call.asked] = candidates;
    const reserved = this.#reserve(call, first, 1, now);
    const { patienceSeconds } = routing;
    return {
      to: "provider",
      candidates,
      reserved,
      cache: cache.enabled,
      texts: texts.enabled,
      ...(patienceSeconds === undefined ? {} : { patienceMs: patienceSeconds * 1000 }),
    };
  }

  async reserve(call: CallStart, candidate: Candidate, attempt: number): Promise<Reserved> {
    return this.#reserve(call, candidate, attempt, this.#parts.now());
  }

  async settle(settlement: Settlement): Promise<void> {
    const now = this.#parts.now();
    const place = this.#ledger.settle(settlement);
    if (place === undefined) return;
    if (settlement.trouble !== undefined) {
      this.#circuits.note(refOf(place), settlement.trouble, now);
    }
    const { cache, texts } = settlement;
    if (texts !== undefined) {
      this.#texts.keep(settlement.n, texts, this.#settings.spend.texts, now);
    }
    if (cache !== undefined) {
      this.#cache.keep(cache.key, cache.answer, this.#settings.spend.cache, now);
    }
    this.#alert(now);
    this.#parts.changed?.();
  }

  async overview(): Promise<SpendOverview> {
    const now = this.#parts.now();
    this.#ledger.writeTaken();
    const { webhookUrl, ...settings } = this.#settings.spend;
    const figures = this.#report.figures(now);
    return {
      agentId: this.#parts.agentId,
      now,
      ...figures,
      meters: this.#ledger.meters(now),
      alerts: this.#alerts.shown(),
      prices: this.#routes.prices(figures.byModel),
      settings: {
        ...settings,
        prices: this.#settings.ownPrices,
        configuredPrices: this.#settings.configuredPrices,
        ...(webhookUrl === null ? {} : { webhookHost: new URL(webhookUrl).host }),
      },
    };
  }

  async calls(query: CallsQuery): Promise<SpendCall[]> {
    this.#ledger.writeTaken();
    return this.#report.calls(query);
  }

  async days(query: DaysQuery): Promise<SpendDay[]> {
    return this.#report.days(query);
  }

  async texts(n: number): Promise<CallTexts | undefined> {
    return this.#texts.find(n);
  }

  async change(change: SpendSettingsChange): Promise<void> {
    const now = this.#parts.now();
    this.#settings.change(change);
    this.#cache.trim(this.#settings.spend.cache, now);
    this.#texts.trim(this.#settings.spend.texts, now);
    this.#alert(now);
    this.#parts.changed?.();
  }

  async raise({ usd, tokens }: RaiseRequest): Promise<Changed> {
    const now = this.#parts.now();
    const oneClick = usd === undefined && tokens === undefined;
    const more = oneClick
      ? onceMore(this.#settings.spend.caps)
      : { usd: usd ?? 0, tokens: tokens ?? 0 };
    if (more.usd === 0 && more.tokens === 0) return { ok: false, reason: "No cap is set." };
    this.#settings.raise(dayOf(now), more);
    this.#alert(now);
    this.#parts.changed?.();
    return { ok: true };
  }

  async models(): Promise<ModelsOverview> {
    return this.#routes.overview(this.#parts.now());
  }

  async setRouting(routing: RoutingSettings): Promise<RoutingReply | Refused> {
    return this.#routes.set(routing);
  }

  /** The model the agent is to be started with. */
  get primary(): string {
    return this.#routes.primary;
  }

  #reserve(call: CallStart, candidate: Candidate, attempt: number, now: number): Reserved {
    const reserved = this.#ledger.reserve(call, candidate, attempt, now);
    if (!reserved.ok) this.#alert(now, reserved.reached);
    return reserved;
  }

  #alert(now: number, refused?: Parameters<Alerts["note"]>[2]): void {
    const meters = this.#ledger.meters(now);
    if (this.#alerts.note(meters, now, refused)) {
      this.#parts.waitUntil(this.#alerts.deliver(meters));
    }
  }

  #tidy(now: number): void {
    if (now - this.#tidied < TIDY_EVERY_MS) return;
    this.#tidied = now;
    this.#ledger.tidy(now);
    this.#cache.trim(this.#settings.spend.cache, now);
    this.#texts.trim(this.#settings.spend.texts, now);
  }
}
