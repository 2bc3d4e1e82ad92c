/**
 * Alerts at 50, 80 and 100 % of a cap: each once a period, kept, and told to a webhook and to the
 * owner on their chat platform. It counts as delivered when one of the two took it.
 */
import type { CapMeter, SpendAlert } from "../../../protocol/spend.ts";
import type { Sql } from "../../agent/store/schema.ts";
import { ALERT_PERCENTS, passed } from "./caps.ts";
import { dayOf } from "./days.ts";

const MAX_TRIES = 5;
const WEBHOOK_DEADLINE_MS = 10_000;
const SHOWN = 50;

type Row = {
  period: string;
  unit: SpendAlert["unit"];
  percent: SpendAlert["percent"];
  at: number;
  delivered: number | null;
};

export interface AlertParts {
  sql: Sql;
  agentId: string;
  fetch: typeof fetch;
  webhookUrl(): string | null;
  tellOwner?: (text: string) => Promise<boolean>;
}

export class Alerts {
  readonly #parts: AlertParts;
  #delivering: Promise<void> | undefined;

  constructor(parts: AlertParts) {
    this.#parts = parts;
  }

  /** Takes note of what the meters have come to. @returns whether anything is to be delivered */
  note(
    meters: readonly CapMeter[],
    now: number,
    refused?: Pick<CapMeter, "period" | "unit">,
  ): boolean {
    for (const meter of meters) {
      const stopped = refused?.period === meter.period && refused.unit === meter.unit;
      const reached = passed(meter, stopped);
      const period = periodOf(meter.period, now);
      for (const percent of ALERT_PERCENTS) {
        // A raised cap can be reached again, and is told again.
        if (reached.includes(percent)) this.#insert(period, meter.unit, percent, now);
        else this.#remove(period, meter.unit, percent);
      }
    }
    return this.#pending().length > 0;
  }

  shown(): SpendAlert[] {
    return this.#parts.sql
      .exec<Row>(
        "SELECT * FROM spend_alerts WHERE agent_id = ? ORDER BY at DESC, percent DESC LIMIT ?",
        this.#parts.agentId,
        SHOWN,
      )
      .toArray()
      .map(alertOf);
  }

  /** One delivery at a time; a failed one is tried again with the next call. Never rejects. */
  deliver(meters: readonly CapMeter[]): Promise<void> {
    this.#delivering ??= this.#deliver(meters).finally(() => {
      this.#delivering = undefined;
    });
    return this.#delivering;
  }

  async #deliver(meters: readonly CapMeter[]): Promise<void> {
    for (const row of this.#pending()) {
      const period = row.period.startsWith("day") ? "day" : "month";
      const meter = meters.find((each) => each.period === period && each.unit === row.unit);
      const taken = await this.#tell(this.#message(row, period, meter));
      this.#parts.sql.exec(
        `UPDATE spend_alerts SET delivered = ?, tries = tries + 1
         WHERE agent_id = ? AND period = ? AND unit = ? AND percent = ?`,
        taken ? 1 : 0,
        this.#parts.agentId,
        row.period,
        row.unit,
        row.percent,
      );
    }
  }

  async #tell(message: { text: string }): Promise<boolean> {
    const { tellOwner, webhookUrl } = this.#parts;
    const url = webhookUrl();
    const told = await Promise.all([
      url === null ? false : this.#post(url, message),
      tellOwner?.(message.text).catch(() => false),
    ]);
    return told.includes(true);
  }

  /** `text` and `content` are what Slack and Discord show; the rest is for programs. */
  #message(row: Row, period: "day" | "month", meter: CapMeter | undefined) {
    const amount = (value: number) =>
      row.unit === "usd" ? `$${value.toFixed(2)}` : `${value} tokens`;
    const share = meter === undefined ? "" : `: ${amount(meter.spent)} of ${amount(meter.cap)}`;
    const end =
      row.percent === 100 ? " Model calls stop until it is raised or the period ends." : "";
    const when = period === "day" ? "today" : "this month";
    const text = `moltworker ${this.#parts.agentId}: ${row.percent} % of the cap for ${when} is used${share}.${end}`;
    return {
      text,
      content: text,
      agent: this.#parts.agentId,
      period,
      unit: row.unit,
      percent: row.percent,
      at: row.at,
      ...(meter === undefined ? {} : { spent: meter.spent, cap: meter.cap }),
    };
  }

  async #post(url: string, body: object): Promise<boolean> {
    try {
      const response = await this.#parts.fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        redirect: "manual",
        signal: AbortSignal.timeout(WEBHOOK_DEADLINE_MS),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  #pending(): Row[] {
    const { tellOwner, webhookUrl } = this.#parts;
    if (webhookUrl() === null && tellOwner === undefined) return [];
    return this.#parts.sql
      .exec<Row>(
        `SELECT * FROM spend_alerts WHERE agent_id = ? AND delivered IS NOT 1 AND tries < ?
         ORDER BY at, percent`,
        this.#parts.agentId,
        MAX_TRIES,
      )
      .toArray();
  }

  #insert(period: string, unit: string, percent: number, now: number): void {
    this.#parts.sql.exec(
      `INSERT OR IGNORE INTO spend_alerts (agent_id, period, unit, percent, at, delivered, tries)
       VALUES (?, ?, ?, ?, ?, NULL, 0)`,
      this.#parts.agentId,
      period,
      unit,
      percent,
      now,
    );
  }

  #remove(period: string, unit: string, percent: number): void {
    this.#parts.sql.exec(
      "DELETE FROM spend_alerts WHERE agent_id = ? AND period = ? AND unit = ? AND percent = ?",
      this.#parts.agentId,
      period,
      unit,
      percent,
    );
  }
}

function alertOf({ at, period, unit, percent, delivered }: Row): SpendAlert {
  return {
    at,
    period: period.startsWith("day") ? "day" : "month",
    unit,
    percent,
    ...(delivered === null ? {} : { delivered: delivered === 1 }),
  };
}

function periodOf(period: "day" | "month", now: number): string {
  const day = dayOf(now);
  return period === "day" ? `day ${day}` : `month ${day.slice(0, 7)}`;
}
