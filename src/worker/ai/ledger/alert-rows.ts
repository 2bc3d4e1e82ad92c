/** The rows of `spend_alerts`: what was reached or refused under a cap, and who was told. */
import { ALERT_TAKERS, type AlertTaker, type SpendAlert } from "../../../protocol/spend.ts";
import type { Sql } from "../../agent/store/schema.ts";

/** In place of a percentage: a call was refused. */
export const REFUSED = 0;

export interface AlertKey {
  /** `day 2026-01-31` or `month 2026-01`. */
  period: string;
  unit: SpendAlert["unit"];
  percent: number;
}

export type AlertRow = {
  period: string;
  unit: SpendAlert["unit"];
  percent: NonNullable<SpendAlert["percent"]> | typeof REFUSED;
  at: number;
  delivered: number | null;
  tries: number;
  /** That it was noted under; null in rows of a release that did not keep it. */
  cap: number | null;
  told: string | null;
};

export class AlertRows {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  /** The cap that each is noted under, by its percentage. */
  caps({ period, unit }: Omit<AlertKey, "percent">): ReadonlyMap<number, number> {
    const rows = this.#sql
      .exec<{ percent: number; cap: number }>(
        `SELECT percent, COALESCE(cap, 0) AS cap FROM spend_alerts
         WHERE agent_id = ? AND period = ? AND unit = ?`,
        this.#agentId,
        period,
        unit,
      )
      .toArray();
    return new Map(rows.map(({ percent, cap }) => [percent, cap]));
  }

  /** Once a key; a second word about it changes the cap alone. */
  note(key: AlertKey, cap: number, now: number): void {
    this.#sql.exec(
      `INSERT INTO spend_alerts (agent_id, period, unit, percent, at, delivered, tries, cap)
       VALUES (?, ?, ?, ?, ?, NULL, 0, ?)
       ON CONFLICT (agent_id, period, unit, percent) DO UPDATE SET cap = excluded.cap`,
      ...this.#where(key),
      now,
      cap,
    );
  }

  forget(key: AlertKey): void {
    this.#sql.exec(
      "DELETE FROM spend_alerts WHERE agent_id = ? AND period = ? AND unit = ? AND percent = ?",
      ...this.#where(key),
    );
  }

  tried(key: AlertKey, told: readonly AlertTaker[]): void {
    this.#sql.exec(
      `UPDATE spend_alerts SET delivered = ?, told = ?, tries = tries + 1
       WHERE agent_id = ? AND period = ? AND unit = ? AND percent = ?`,
      told.length > 0 ? 1 : 0,
      told.join(" "),
      ...this.#where(key),
    );
  }

  untold(maxTries: number): AlertRow[] {
    return this.#sql
      .exec<AlertRow>(
        `SELECT * FROM spend_alerts WHERE agent_id = ? AND delivered IS NOT 1 AND tries < ?
         ORDER BY at, percent`,
        this.#agentId,
        maxTries,
      )
      .toArray();
  }

  newest(limit: number): SpendAlert[] {
    return this.#sql
      .exec<AlertRow>(
        "SELECT * FROM spend_alerts WHERE agent_id = ? ORDER BY at DESC, percent DESC LIMIT ?",
        this.#agentId,
        limit,
      )
      .toArray()
      .map(alertOf);
  }

  #where({ period, unit, percent }: AlertKey): [string, string, string, number] {
    return [this.#agentId, period, unit, percent];
  }
}

function alertOf({ at, period, unit, percent, delivered, told }: AlertRow): SpendAlert {
  return {
    at,
    period: period.startsWith("day") ? "day" : "month",
    unit,
    ...(percent === REFUSED ? {} : { percent }),
    ...(delivered === null ? {} : { delivered: delivered === 1 }),
    ...(told === null ? {} : { told: ALERT_TAKERS.filter((taker) => told.includes(taker)) }),
  };
}
