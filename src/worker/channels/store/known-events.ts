/** Which events have come before, so that what a platform sends again is not taken twice. */
import type { Sql } from "../../agent/store/schema.ts";
import type { Arrival } from "../channel.ts";

/** Ids of events stay known this long after their letter is gone; platforms retry for a day. */
const KEPT_MS = 7 * 86_400_000;

export class KnownEvents {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  has({ channel, eventId }: Arrival): boolean {
    return (
      this.#sql
        .exec(
          "SELECT 1 FROM channel_seen WHERE agent_id = ? AND channel = ? AND event_id = ?",
          this.#agentId,
          channel,
          eventId,
        )
        .toArray().length > 0
    );
  }

  /** The event counts as known from now on, also when no letter is kept of it. */
  add({ channel, eventId }: Arrival, now: number): void {
    this.#sql.exec(
      `INSERT INTO channel_seen (agent_id, channel, event_id, at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      this.#agentId,
      channel,
      eventId,
      now,
    );
    this.#sql.exec(
      "DELETE FROM channel_seen WHERE agent_id = ? AND at < ?",
      this.#agentId,
      now - KEPT_MS,
    );
  }
}
