/**
 * A reservation for the next call, written together with the end of the one before: a call that fits
 * into it is sent without waiting for the disk first.
 *
 * Fails closed: until the call has a row of its own, this one stands for it, and a runtime that comes
 * up and finds one counts it in full, because nobody can say whether it was used.
 */
import type { Sql, SqlValue } from "../../agent/store/schema.ts";
import type { NewCall } from "./call-rows.ts";
import type { Sums } from "./caps.ts";

/** The place and the upper bound that are reserved; tokens and nano-dollars. */
export type Ahead = Pick<
  NewCall,
  | "at"
  | "day"
  | "provider"
  | "model"
  | "wire"
  | "route"
  | "input"
  | "output"
  | "nano"
  | "priceKnown"
>;

export class ReservedAhead {
  readonly #sql: Sql;
  readonly #agentId: string;
  #kept: Ahead | undefined;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
    this.#kept = this.#read();
  }

  get kept(): Ahead | undefined {
    return this.#kept;
  }

  covers(call: NewCall): boolean {
    const kept = this.#kept;
    return (
      kept !== undefined &&
      kept.day === call.day &&
      kept.provider === call.provider &&
      kept.model === call.model &&
      kept.wire === call.wire &&
      kept.route === call.route &&
      kept.input >= call.input &&
      kept.output >= call.output &&
      kept.nano >= call.nano
    );
  }

  keep(ahead: Ahead): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO spend_ahead
         (agent_id, at, day, provider, model, wire, route, input, output, nano, price_known)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#agentId,
      ahead.at,
      ahead.day,
      ahead.provider,
      ahead.model,
      ahead.wire,
      ahead.route,
      ahead.input,
      ahead.output,
      ahead.nano,
      ahead.priceKnown ? 1 : 0,
    );
    this.#kept = ahead;
  }

  /** Writes only where there is something to take away. */
  drop(): void {
    if (this.#kept === undefined) return;
    this.#sql.exec("DELETE FROM spend_ahead WHERE agent_id = ?", this.#agentId);
    this.#kept = undefined;
  }

  #read(): Ahead | undefined {
    const [row] = this.#sql
      .exec<Stored>("SELECT * FROM spend_ahead WHERE agent_id = ?", this.#agentId)
      .toArray();
    if (row === undefined) return undefined;
    const { price_known, ...ahead } = row;
    return { ...ahead, priceKnown: price_known === 1 };
  }
}

export function sumsOf({ input, output, nano }: Ahead): Sums {
  return { nano, tokens: input + output };
}

type Stored = Omit<Ahead, "priceKnown"> & { price_known: number } & Record<string, SqlValue>;
