/** What the ledger shows: sums, trends and the calls themselves. Reads only. */
import type {
  CallsQuery,
  DaysQuery,
  SpendCall,
  SpendDay,
  SpendOverview,
  SpendSums,
} from "../../../protocol/spend.ts";
import type { Sql, SqlValue } from "../../agent/store/schema.ts";
import { NANO } from "../price.ts";
import { dayOf, monthStart } from "./days.ts";

const DAY_MS = 86_400_000;
const TREND_DAYS = 31;
/** Enough for percentiles of a day. */
const LATENCY_ROWS = 2000;

type SumRow = {
  calls: number;
  failed: number;
  cached: number;
  tokens: number;
  nano: number;
  unknown_nano: number;
  bound_nano: number;
};

const SUMS = `COALESCE(SUM(calls), 0) AS calls, COALESCE(SUM(failed), 0) AS failed,
  COALESCE(SUM(cached), 0) AS cached, COALESCE(SUM(tokens), 0) AS tokens,
  COALESCE(SUM(nano), 0) AS nano, COALESCE(SUM(unknown_nano), 0) AS unknown_nano,
  COALESCE(SUM(bound_nano), 0) AS bound_nano`;

type Figures = Pick<
  SpendOverview,
  "day" | "today" | "month" | "trend" | "byModel" | "byChannel" | "byStatus" | "latency"
>;

export class LedgerReport {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  figures(now: number): Figures {
    const day = dayOf(now);
    const month = monthStart(day);
    const since = dayOf(now - (TREND_DAYS - 1) * DAY_MS);
    return {
      day,
      today: sumsOf(this.#days<SumRow>(SUMS, day)[0]),
      month: sumsOf(this.#days<SumRow>(SUMS, month)[0]),
      trend: this.#days<SumRow & { day: string }>(`day, ${SUMS}`, since, "day").map((row) =>
        Object.assign(sumsOf(row), { day: row.day }),
      ),
      byModel: this.#days<SumRow & { provider: string; model: string }>(
        `provider, model, ${SUMS}`,
        month,
        "provider, model",
      )
        .map((row) => Object.assign(sumsOf(row), { provider: row.provider, model: row.model }))
        .toSorted((a, b) => b.usd - a.usd),
      byChannel: this.#days<SumRow & { channel: string }>(`channel, ${SUMS}`, month, "channel")
        .map((row) => Object.assign(sumsOf(row), { channel: row.channel }))
        .toSorted((a, b) => b.usd - a.usd),
      byStatus: this.#all<{ status: string; calls: number }>(
        `SELECT COALESCE(CAST(status AS TEXT), reason, state) AS status, COUNT(*) AS calls
         FROM spend_calls WHERE agent_id = ? AND at >= ? GROUP BY 1 ORDER BY 2 DESC, 1`,
        this.#agentId,
        now - DAY_MS,
      ),
      latency: this.#latency(now),
    };
  }

  calls({ before, limit }: CallsQuery): SpendCall[] {
    return this.#all<CallRow>(
      `SELECT *, EXISTS (SELECT 1 FROM spend_texts WHERE spend_texts.agent_id = spend_calls.agent_id
         AND spend_texts.n = spend_calls.n) AS texts
       FROM spend_calls WHERE agent_id = ? AND n < ? ORDER BY n DESC LIMIT ?`,
      this.#agentId,
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    ).map(callOf);
  }

  /** Oldest first. */
  days({ after, limit }: DaysQuery): SpendDay[] {
    return this.#all<SumRow & Pick<SpendDay, "day" | "provider" | "model" | "channel">>(
      `SELECT * FROM spend_days
       WHERE agent_id = ? AND (day, provider, model, channel) > (?, ?, ?, ?)
       ORDER BY day, provider, model, channel LIMIT ?`,
      this.#agentId,
      after?.day ?? "",
      after?.provider ?? "",
      after?.model ?? "",
      after?.channel ?? "",
      limit,
    ).map((row) => {
      const { day, provider, model, channel } = row;
      return Object.assign(sumsOf(row), { day, provider, model, channel });
    });
  }

  #latency(now: number): SpendOverview["latency"] {
    const rows = this.#all<{ first_ms: number; total_ms: number }>(
      `SELECT first_ms, total_ms FROM spend_calls
       WHERE agent_id = ? AND at >= ? AND first_ms IS NOT NULL AND total_ms IS NOT NULL AND cached = 0
       ORDER BY n DESC LIMIT ?`,
      this.#agentId,
      now - DAY_MS,
      LATENCY_ROWS,
    );
    if (rows.length === 0) return { calls: 0 };
    const first = rows.map((row) => row.first_ms).toSorted((a, b) => a - b);
    const total = rows.map((row) => row.total_ms).toSorted((a, b) => a - b);
    return {
      calls: rows.length,
      firstByteP50: percentile(first, 0.5),
      firstByteP95: percentile(first, 0.95),
      totalP50: percentile(total, 0.5),
    };
  }

  #days<T extends Record<string, SqlValue>>(columns: string, since: string, group?: string): T[] {
    const grouped = group === undefined ? "" : ` GROUP BY ${group} ORDER BY ${group}`;
    return this.#all<T>(
      `SELECT ${columns} FROM spend_days WHERE agent_id = ? AND day >= ?${grouped}`,
      this.#agentId,
      since,
    );
  }

  #all<T extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]): T[] {
    return this.#sql.exec<T>(query, ...bindings).toArray();
  }
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function sumsOf(row: SumRow | undefined): SpendSums {
  return {
    calls: row?.calls ?? 0,
    failed: row?.failed ?? 0,
    cached: row?.cached ?? 0,
    tokens: row?.tokens ?? 0,
    usd: (row?.nano ?? 0) / NANO,
    unknownPriceUsd: (row?.unknown_nano ?? 0) / NANO,
    boundUsd: (row?.bound_nano ?? 0) / NANO,
  };
}

type CallRow = {
  n: number;
  at: number;
  request_id: string;
  attempt: number;
  channel: string;
  provider: string;
  model: string;
  wire: string;
  route: SpendCall["route"];
  state: SpendCall["state"];
  status: number | null;
  reason: string | null;
  stream: number;
  cached: number;
  input: number;
  output: number;
  cache_read: number;
  cache_write: number;
  reasoning: number;
  nano: number;
  price_known: number;
  first_ms: number | null;
  total_ms: number | null;
  provider_request_id: string | null;
  texts: number;
};

function callOf(row: CallRow): SpendCall {
  return {
    n: row.n,
    at: row.at,
    requestId: row.request_id,
    attempt: row.attempt,
    ...(row.channel === "" ? {} : { channel: row.channel }),
    provider: row.provider,
    model: row.model,
    wire: row.wire,
    route: row.route,
    state: row.state,
    ...(row.status === null ? {} : { status: row.status }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    stream: row.stream === 1,
    cached: row.cached === 1,
    input: row.input,
    output: row.output,
    cacheRead: row.cache_read,
    cacheWrite: row.cache_write,
    reasoning: row.reasoning,
    usd: row.nano / NANO,
    priceKnown: row.price_known === 1,
    ...(row.first_ms === null ? {} : { firstByteMs: row.first_ms }),
    ...(row.total_ms === null ? {} : { totalMs: row.total_ms }),
    ...(row.provider_request_id === null ? {} : { providerRequestId: row.provider_request_id }),
    texts: row.texts === 1,
  };
}
