/** What an admin set for model calls, kept in the ledger's own table. */
import * as z from "zod";
import {
  cacheSettings,
  capSettings,
  DEFAULT_WORST_CASE,
  priceOverride,
  routingSettings,
  textSettings,
  worstCasePrice,
  type CapSettings,
  type PriceOverride,
  type RoutingSettings,
  type SpendSettings,
  type SpendSettingsChange,
} from "../../../protocol/spend-settings.ts";
import type { Sql } from "../../agent/store/schema.ts";
import type { Raised } from "./caps.ts";

const stored = z
  .strictObject({
    routing: routingSettings,
    caps: capSettings,
    prices: z.array(priceOverride),
    worstCase: worstCasePrice,
    cache: cacheSettings,
    texts: textSettings,
    webhookUrl: z.string().nullable(),
    raise: z.strictObject({ day: z.string(), usd: z.number(), tokens: z.number() }),
  })
  .partial();
type Stored = z.infer<typeof stored>;

/** The configuration's: caps while none are set here, prices after those that are. */
export interface Defaults {
  caps: CapSettings;
  prices: readonly PriceOverride[];
}

const NO_CACHE = cacheSettings.parse({ enabled: false });
const NO_TEXTS = textSettings.parse({ enabled: false });

export class SettingsStore {
  readonly #sql: Sql;
  readonly #agentId: string;
  readonly #defaults: Defaults;
  #stored: Stored | undefined;

  constructor(sql: Sql, agentId: string, defaults: Defaults) {
    this.#sql = sql;
    this.#agentId = agentId;
    this.#defaults = defaults;
  }

  get spend(): SpendSettings {
    const { caps, prices, worstCase, cache, texts, webhookUrl } = this.#read();
    return {
      caps: caps ?? this.#defaults.caps,
      prices: [...(prices ?? []), ...this.#defaults.prices],
      worstCase: worstCase ?? DEFAULT_WORST_CASE,
      cache: cache ?? NO_CACHE,
      texts: texts ?? NO_TEXTS,
      webhookUrl: webhookUrl ?? null,
    };
  }

  /** Those of the admin alone: the ones the page changes. */
  get ownPrices(): PriceOverride[] {
    return this.#read().prices ?? [];
  }

  get configuredPrices(): PriceOverride[] {
    return [...this.#defaults.prices];
  }

  get routing(): RoutingSettings {
    return this.#read().routing ?? { fallbacks: [] };
  }

  set routing(routing: RoutingSettings) {
    this.#write({ routing });
  }

  change(change: SpendSettingsChange): void {
    this.#write(change);
  }

  raised(day: string): Raised {
    const { raise } = this.#read();
    return raise?.day === day ? { usd: raise.usd, tokens: raise.tokens } : { usd: 0, tokens: 0 };
  }

  raise(day: string, more: Raised): void {
    const { usd, tokens } = this.raised(day);
    this.#write({ raise: { day, usd: usd + more.usd, tokens: tokens + more.tokens } });
  }

  /** Settings that no longer parse are no reason to lift a cap: this throws, and no call is made. */
  #read(): Stored {
    if (this.#stored === undefined) {
      const row = this.#sql
        .exec<{ value: string }>(
          "SELECT value FROM spend_settings WHERE agent_id = ?",
          this.#agentId,
        )
        .toArray()[0];
      this.#stored = row === undefined ? {} : stored.parse(JSON.parse(row.value));
    }
    return this.#stored;
  }

  #write(change: Stored): void {
    const next = { ...this.#read(), ...change };
    this.#sql.exec(
      `INSERT INTO spend_settings (agent_id, value) VALUES (?, ?)
       ON CONFLICT (agent_id) DO UPDATE SET value = excluded.value`,
      this.#agentId,
      JSON.stringify(next),
    );
    this.#stored = next;
  }
}
