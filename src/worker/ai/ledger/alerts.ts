/**
 * Alerts at 50, 80 and 100 % of a cap, and when a call was refused because it did not fit: each once
 * a period and cap, kept, and told to a webhook and to the owner on their chat platform. It counts
 * as delivered when one of the two took it.
 */
import type { AlertTaker, CapMeter } from "../../../protocol/spend.ts";
import type { Sql } from "../../agent/store/schema.ts";
import { AlertRows, REFUSED, type AlertRow } from "./alert-rows.ts";
import { ALERT_PERCENTS, passed } from "./caps.ts";
import { dayOf } from "./days.ts";

const MAX_TRIES = 5;
const WEBHOOK_DEADLINE_MS = 10_000;
const SHOWN = 50;

export interface AlertParts {
  sql: Sql;
  agentId: string;
  fetch: typeof fetch;
  webhookUrl(): string | null;
  tellOwner?: (text: string) => Promise<boolean>;
}

export class Alerts {
  readonly #parts: AlertParts;
  readonly #rows: AlertRows;
  #delivering: Promise<void> | undefined;

  constructor(parts: AlertParts) {
    this.#parts = parts;
    this.#rows = new AlertRows(parts.sql, parts.agentId);
  }

  /** Takes note of what the meters have come to. @returns whether anything is to be delivered */
  note(
    meters: readonly CapMeter[],
    now: number,
    refused?: Pick<CapMeter, "period" | "unit">,
  ): boolean {
    for (const meter of meters) {
      const { unit, cap } = meter;
      const period = periodOf(meter.period, now);
      const reached = new Set<number>(passed(meter));
      const noted = this.#rows.caps({ period, unit });
      // A used-up cap has said already that calls stop.
      const stopped = refused?.period === meter.period && refused.unit === unit;
      const happened = new Set(stopped && !reached.has(100) ? [...reached, REFUSED] : reached);
      for (const percent of [REFUSED, ...ALERT_PERCENTS]) {
        const key = { period, unit, percent };
        let under = noted.get(percent);
        // Only a raised cap makes it something that can come about again, and is told again.
        if (under !== undefined && under < cap && !reached.has(percent)) {
          this.#rows.forget(key);
          under = undefined;
        }
        const isNew = under === undefined && happened.has(percent);
        if (isNew || (under ?? cap) !== cap) this.#rows.note(key, cap, now);
      }
    }
    return this.#pending().length > 0;
  }

  shown() {
    return this.#rows.newest(SHOWN);
  }

  /** One delivery at a time; a failed one is tried again with the next call. Never rejects. */
  deliver(meters: readonly CapMeter[]): Promise<void> {
    this.#delivering ??= this.#deliver(meters).finally(() => {
      this.#delivering = undefined;
    });
    return this.#delivering;
  }

  async #deliver(meters: readonly CapMeter[]): Promise<void> {
    const tried = new Set<string>();
    const keyOf = ({ period, unit, percent }: AlertRow) => `${period} ${unit} ${percent}`;
    for (;;) {
      // One that came up meanwhile is told as well.
      const row = this.#pending().find((each) => !tried.has(keyOf(each)));
      if (row === undefined) return;
      tried.add(keyOf(row));
      const period = row.period.startsWith("day") ? "day" : "month";
      const meter = meters.find((each) => each.period === period && each.unit === row.unit);
      this.#rows.tried(row, await this.#tell(this.#message(row, period, meter)));
    }
  }

  async #tell(message: { text: string }): Promise<AlertTaker[]> {
    const { tellOwner, webhookUrl } = this.#parts;
    const url = webhookUrl();
    const [webhook, owner] = await Promise.all([
      url === null ? false : this.#post(url, message),
      tellOwner?.(message.text).catch(() => false),
    ]);
    return [...(webhook ? (["webhook"] as const) : []), ...(owner ? (["owner"] as const) : [])];
  }

  /** `text` and `content` are what Slack and Discord show; the rest is for programs. */
  #message(row: AlertRow, period: "day" | "month", meter: CapMeter | undefined) {
    const text = `moltworker ${this.#parts.agentId}: ${sentence(row, period, meter)}`;
    return {
      text,
      content: text,
      agent: this.#parts.agentId,
      event: row.percent === REFUSED ? "refused" : "reached",
      period,
      unit: row.unit,
      ...(row.percent === REFUSED ? {} : { percent: row.percent }),
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

  #pending(): AlertRow[] {
    const { tellOwner, webhookUrl } = this.#parts;
    if (webhookUrl() === null && tellOwner === undefined) return [];
    return this.#rows.untold(MAX_TRIES);
  }
}

function sentence(
  { percent, unit }: AlertRow,
  period: "day" | "month",
  meter: CapMeter | undefined,
): string {
  const amount = (value: number) =>
    unit === "usd" ? `$${value.toFixed(2)}` : `${Math.round(value)} tokens`;
  const when = period === "day" ? "today" : "this month";
  if (percent === REFUSED) {
    const cap = meter === undefined ? "the cap" : `the cap of ${amount(meter.cap)}`;
    const used =
      meter === undefined
        ? ""
        : `: ${amount(meter.spent)} are used, ${amount(meter.reserved)} are kept for calls under way`;
    return `a model call was refused, because it could cost more than is left of ${cap} for ${when}${used}.`;
  }
  const share = meter === undefined ? "" : `: ${amount(meter.spent)} of ${amount(meter.cap)}`;
  const end = percent === 100 ? " Model calls stop until it is raised or the period ends." : "";
  return `${percent} % of the cap for ${when} is used${share}.${end}`;
}

function periodOf(period: "day" | "month", now: number): string {
  const day = dayOf(now);
  return period === "day" ? `day ${day}` : `month ${day.slice(0, 7)}`;
}
