/** The sums of days in `spend_days`, which stay when the rows of the calls are gone. */
import type { Sql } from "../../agent/store/schema.ts";
import type { Row } from "./call-rows.ts";
import type { Sums } from "./caps.ts";

export class DaySums {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  /** A call's row into the sums of its day. */
  add(row: Row): void {
    this.#change(row, 1);
  }

  /** And out of them again, as it was added. */
  remove(row: Row): void {
    this.#change(row, -1);
  }

  /** Of the days from the one to the other. */
  spent(from: string, to: string): Sums {
    const [row] = this.#sql
      .exec<{ nano: number | null; tokens: number | null }>(
        `SELECT SUM(nano) AS nano, SUM(tokens) AS tokens FROM spend_days
         WHERE agent_id = ? AND day >= ? AND day <= ?`,
        this.#agentId,
        from,
        to,
      )
      .toArray();
    return { nano: row?.nano ?? 0, tokens: row?.tokens ?? 0 };
  }

  #change(row: Row, calls: 1 | -1): void {
    const failed = row.status !== null && row.status < 400 ? 0 : 1;
    const bound = row.state === "unsettled" || row.state === "estimated";
    this.#sql.exec(
      `INSERT INTO spend_days (agent_id, day, provider, model, channel, calls, failed, cached,
         tokens, nano, unknown_nano, bound_nano)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (agent_id, day, provider, model, channel) DO UPDATE SET
         calls = calls + excluded.calls, failed = failed + excluded.failed,
         cached = cached + excluded.cached, tokens = tokens + excluded.tokens,
         nano = nano + excluded.nano, unknown_nano = unknown_nano + excluded.unknown_nano,
         bound_nano = bound_nano + excluded.bound_nano`,
      this.#agentId,
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
}
