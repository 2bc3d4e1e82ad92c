/**
 * The ledger of one agent: reserves before a call, settles after it, and knows what is left.
 *
 * Fails closed: a call is counted at its upper bound until its end is told, and for good when that
 * never comes. Reserving and settling are synchronous, so that no two calls can take the same rest.
 */
import type { SpendSettings } from "../../../protocol/spend-settings.ts";
import type { CapMeter } from "../../../protocol/spend.ts";
import type { Sql, SqlValue } from "../../agent/store/schema.ts";
import { boundOf, contextWindow, type PricedModel } from "../price.ts";
import { WIRE } from "../wire.ts";
import { type Bound, fit, meters, type Raised, type Sums, type Used } from "./caps.ts";
import type { CallStart, Candidate, Reserved, Settlement } from "./calls.ts";
import { countsOf } from "./counts.ts";
import { dayOf, monthStart } from "./days.ts";

/** Without a word for so long, a call has no reader and no writer any more. */
const ABANDONED_MS = 60 * 60_000;
const RETENTION_MS = 90 * 86_400_000;

export interface LedgerParts {
  sql: Sql;
  agentId: string;
  settings(): SpendSettings;
  raised(day: string): Raised;
  /** How the price data finds a model of that provider. */
  source(provider: string): PricedModel["source"];
  route(provider: string): "direct" | "cloudflare";
}

type Row = {
  n: number;
  day: string;
  provider: string;
  model: string;
  channel: string;
  state: string;
  status: number | null;
  cached: number;
  input: number;
  output: number;
  nano: number;
  price_known: number;
};

export class Ledger {
  readonly #parts: LedgerParts;
  #next: number | undefined;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  reserve(call: CallStart, candidate: Candidate, attempt: number, now: number): Reserved {
    const { settings } = this.#parts;
    const target = this.#target(candidate);
    const book = { own: settings().prices, worstCase: settings().worstCase };
    const input = call.remote ? Math.max(call.inputBytes, contextWindow(target)) : call.inputBytes;
    const asked = call.outputAsked ?? WIRE[call.wire].defaultOutput * call.choices;
    const { inputNano, outputNano, known } = boundOf(input, asked, target, book);
    const bound: Bound = {
      inputTokens: input,
      inputNano,
      outputTokens: asked,
      outputNano,
      ...(WIRE[call.wire].outputLimits.length > 0
        ? { leastOutput: call.leastOutput * call.choices }
        : {}),
    };
    const day = dayOf(now);
    const fitting = fit(bound, this.meters(now));
    if (!fitting.ok) return { ok: false, reason: "cap", reached: fitting.reached };
    const output = fitting.outputTokens;
    const lowered = output < asked;
    const nano = inputNano + (lowered ? Math.ceil((outputNano * output) / asked) : outputNano);
    const n = this.#number();
    this.#parts.sql.exec(
      `INSERT INTO spend_calls (agent_id, n, at, day, request_id, attempt, channel, provider, model,
         wire, route, state, stream, cached, input, output, cache_read, cache_write, reasoning, nano,
         price_known)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, 0, ?, ?, 0, 0, 0, ?, ?)`,
      this.#parts.agentId,
      n,
      now,
      day,
      call.requestId,
      attempt,
      call.channel ?? "",
      candidate.provider,
      candidate.model,
      call.wire,
      this.#parts.route(candidate.provider),
      call.stream ? 1 : 0,
      input,
      output,
      nano,
      known ? 1 : 0,
    );
    return { ok: true, n, ...(lowered ? { outputLimit: output } : {}) };
  }

  /** A cached answer: a row that costs nothing. */
  noteCached(call: CallStart, now: number): void {
    const n = this.#number();
    const { asked } = call;
    this.#parts.sql.exec(
      `INSERT INTO spend_calls (agent_id, n, at, day, request_id, attempt, channel, provider, model,
         wire, route, state, status, stream, cached, input, output, cache_read, cache_write,
         reasoning, nano, price_known, first_ms, total_ms)
       VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, 'cache', 'free', 200, ?, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0)`,
      this.#parts.agentId,
      n,
      now,
      dayOf(now),
      call.requestId,
      call.channel ?? "",
      asked.provider,
      asked.model,
      call.wire,
      call.stream ? 1 : 0,
    );
    const row = this.#row(n);
    if (row !== undefined) this.#addToDay(row, { calls: 1 });
  }

  /**
   * The end of a call. A second word about the same call counts only over `unsettled`, which was a
   * guess about a call whose end came late.
   *
   * @returns whose call it was
   */
  settle(settlement: Settlement): { provider: string; model: string } | undefined {
    const row = this.#row(settlement.n);
    if (row === undefined || (row.state !== "open" && row.state !== "unsettled")) {
      return undefined;
    }
    const { prices: own, worstCase } = this.#parts.settings();
    const counts = countsOf(row, settlement, this.#target(row), { own, worstCase });
    if (row.state === "unsettled") this.#addToDay(row, { calls: -1 });
    this.#parts.sql.exec(
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
      this.#parts.agentId,
      row.n,
    );
    const settled = this.#row(row.n);
    if (settled !== undefined) this.#addToDay(settled, { calls: 1 });
    return { provider: row.provider, model: row.model };
  }

  /** Counts in full what nobody will settle. `all`: the runtime began anew and nothing is under way. */
  sweep(now: number, all: boolean): void {
    const rows = this.#parts.sql
      .exec<Row>(
        `SELECT * FROM spend_calls WHERE agent_id = ? AND state = 'open' AND at <= ?`,
        this.#parts.agentId,
        all ? now : now - ABANDONED_MS,
      )
      .toArray();
    for (const row of rows) {
      this.#parts.sql.exec(
        "UPDATE spend_calls SET state = 'unsettled' WHERE agent_id = ? AND n = ?",
        this.#parts.agentId,
        row.n,
      );
      this.#addToDay({ ...row, state: "unsettled" }, { calls: 1 });
    }
  }

  /** Rows go after 90 days; the sums of their days stay. */
  forget(now: number): void {
    this.#parts.sql.exec(
      "DELETE FROM spend_calls WHERE agent_id = ? AND at < ? AND state <> 'open'",
      this.#parts.agentId,
      now - RETENTION_MS,
    );
  }

  meters(now: number): CapMeter[] {
    const { settings, raised } = this.#parts;
    const { caps } = settings();
    if (Object.values(caps).every((cap) => cap === undefined)) return [];
    const day = dayOf(now);
    return meters(caps, raised(day), this.used(day));
  }

  used(day: string): Used {
    return {
      day: { spent: this.#spent(day, day), reserved: this.#reserved(day, day) },
      month: {
        spent: this.#spent(monthStart(day), day),
        reserved: this.#reserved(monthStart(day), day),
      },
    };
  }

  #target({ provider, model }: { provider: string; model: string }): PricedModel {
    return { provider, model, source: this.#parts.source(provider) };
  }

  #number(): number {
    this.#next ??=
      (this.#one<{ n: number | null }>(
        "SELECT MAX(n) AS n FROM spend_calls WHERE agent_id = ?",
        this.#parts.agentId,
      )?.n ?? 0) + 1;
    const n = this.#next;
    this.#next += 1;
    return n;
  }

  #row(n: number): Row | undefined {
    return this.#one<Row>(
      "SELECT * FROM spend_calls WHERE agent_id = ? AND n = ?",
      this.#parts.agentId,
      n,
    );
  }

  #spent(from: string, to: string): Sums {
    return sums(
      this.#one(
        `SELECT SUM(nano) AS nano, SUM(tokens) AS tokens FROM spend_days
         WHERE agent_id = ? AND day >= ? AND day <= ?`,
        this.#parts.agentId,
        from,
        to,
      ),
    );
  }

  #reserved(from: string, to: string): Sums {
    return sums(
      this.#one(
        `SELECT SUM(nano) AS nano, SUM(input + output) AS tokens FROM spend_calls
         WHERE agent_id = ? AND day >= ? AND day <= ? AND state = 'open'`,
        this.#parts.agentId,
        from,
        to,
      ),
    );
  }

  /** A call's row into (`calls: 1`) or out of (`-1`) the sums of its day. */
  #addToDay(row: Row, { calls }: { calls: 1 | -1 }): void {
    const failed = row.status !== null && row.status < 400 ? 0 : 1;
    const bound = row.state === "unsettled" || row.state === "estimated";
    this.#parts.sql.exec(
      `INSERT INTO spend_days (agent_id, day, provider, model, channel, calls, failed, cached,
         tokens, nano, unknown_nano, bound_nano)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (agent_id, day, provider, model, channel) DO UPDATE SET
         calls = calls + excluded.calls, failed = failed + excluded.failed,
         cached = cached + excluded.cached, tokens = tokens + excluded.tokens,
         nano = nano + excluded.nano, unknown_nano = unknown_nano + excluded.unknown_nano,
         bound_nano = bound_nano + excluded.bound_nano`,
      this.#parts.agentId,
      row.day,
      row.provider,
      row.model,
      row.channel,
      calls,
      calls * failed,
      calls * row.cached,
      calls * (row.input + row.output),
      calls * row.nano,
      row.price_known === 1 ? 0 : calls * row.nano,
      bound ? calls * row.nano : 0,
    );
  }

  #one<T extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]): T | undefined {
    return this.#parts.sql.exec<T>(query, ...bindings).toArray()[0];
  }
}

function sums(row: { nano: number | null; tokens: number | null } | undefined): Sums {
  return { nano: row?.nano ?? 0, tokens: row?.tokens ?? 0 };
}
