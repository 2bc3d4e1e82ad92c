/** The rows of `spend_calls`: one for each attempt of a call. Reads and writes, and decides nothing. */
import type { Sql, SqlValue } from "../../agent/store/schema.ts";
import type { Settlement } from "./calls.ts";
import type { Sums } from "./caps.ts";
import type { Counts } from "./counts.ts";

/** A call as it begins: reserved at its upper bound, or answered from the cache. */
export interface NewCall {
  n: number;
  at: number;
  day: string;
  requestId: string;
  attempt: number;
  channel: string;
  provider: string;
  model: string;
  wire: string;
  route: "direct" | "cloudflare" | "cache";
  stream: boolean;
  /** Tokens. */
  input: number;
  output: number;
  nano: number;
  priceKnown: boolean;
}

export type Row = {
  n: number;
  day: string;
  provider: string;
  model: string;
  channel: string;
  wire: string;
  route: NewCall["route"];
  state: string;
  status: number | null;
  cached: number;
  input: number;
  output: number;
  nano: number;
  price_known: number;
};

export class CallRows {
  readonly #sql: Sql;
  readonly #agentId: string;
  #next: number | undefined;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  /** Larger than every number before. */
  number(): number {
    this.#next ??=
      (this.#all<{ n: number | null }>(
        "SELECT MAX(n) AS n FROM spend_calls WHERE agent_id = ?",
        this.#agentId,
      )[0]?.n ?? 0) + 1;
    const n = this.#next;
    this.#next += 1;
    return n;
  }

  insertOpen(call: NewCall): void {
    this.#insert(call, { state: "open", cached: 0, status: null, ms: null });
  }

  insertCached(call: NewCall): void {
    this.#insert(call, { state: "free", cached: 1, status: 200, ms: 0 });
  }

  find(n: number): Row | undefined {
    return this.#all<Row>(
      "SELECT * FROM spend_calls WHERE agent_id = ? AND n = ?",
      this.#agentId,
      n,
    )[0];
  }

  settle(n: number, counts: Counts, settlement: Settlement): void {
    this.#sql.exec(
      `UPDATE spend_calls SET state = ?, status = ?, reason = ?, input = ?, output = ?,
         cache_read = ?, cache_write = ?, reasoning = ?, nano = ?, price_known = ?, first_ms = ?,
         total_ms = ?, provider_request_id = ?
       WHERE agent_id = ? AND n = ?`,
      counts.state,
      settlement.status ?? null,
      settlement.reason ?? null,
      counts.input,
      counts.output,
      counts.cacheRead,
      counts.cacheWrite,
      counts.reasoning,
      counts.nano,
      counts.known ? 1 : 0,
      settlement.firstByteMs ?? null,
      settlement.totalMs,
      settlement.providerRequestId?.slice(0, 200) ?? null,
      this.#agentId,
      n,
    );
  }

  markUnsettled(n: number): void {
    this.#sql.exec(
      "UPDATE spend_calls SET state = 'unsettled' WHERE agent_id = ? AND n = ?",
      this.#agentId,
      n,
    );
  }

  /** Begun at that moment or earlier, and not settled. */
  openSince(at: number): Row[] {
    return this.#all<Row>(
      "SELECT * FROM spend_calls WHERE agent_id = ? AND state = 'open' AND at <= ?",
      this.#agentId,
      at,
    );
  }

  /** Of the days from the one to the other. */
  reserved(from: string, to: string): Sums {
    const [row] = this.#all<{ nano: number | null; tokens: number | null }>(
      `SELECT SUM(nano) AS nano, SUM(input + output) AS tokens FROM spend_calls
       WHERE agent_id = ? AND day >= ? AND day <= ? AND state = 'open'`,
      this.#agentId,
      from,
      to,
    );
    return { nano: row?.nano ?? 0, tokens: row?.tokens ?? 0 };
  }

  /** All but the open ones. */
  forgetBefore(at: number): void {
    this.#sql.exec(
      "DELETE FROM spend_calls WHERE agent_id = ? AND at < ? AND state <> 'open'",
      this.#agentId,
      at,
    );
  }

  #insert(call: NewCall, { state, cached, status, ms }: Beginning): void {
    this.#sql.exec(
      `INSERT INTO spend_calls (agent_id, n, at, day, request_id, attempt, channel, provider, model,
         wire, route, state, status, stream, cached, input, output, cache_read, cache_write,
         reasoning, nano, price_known, first_ms, total_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?)`,
      this.#agentId,
      call.n,
      call.at,
      call.day,
      call.requestId,
      call.attempt,
      call.channel,
      call.provider,
      call.model,
      call.wire,
      call.route,
      state,
      status,
      call.stream ? 1 : 0,
      cached,
      call.input,
      call.output,
      call.nano,
      call.priceKnown ? 1 : 0,
      ms,
      ms,
    );
  }

  #all<T extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]): T[] {
    return this.#sql.exec<T>(query, ...bindings).toArray();
  }
}

interface Beginning {
  state: "open" | "free";
  cached: 0 | 1;
  status: number | null;
  ms: number | null;
}
