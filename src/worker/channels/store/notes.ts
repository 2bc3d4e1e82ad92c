import type { ChannelId } from "../../../protocol/channels.ts";
import type { Sql } from "../../agent/store/schema.ts";

/** Small text that a channel keeps for itself, and the room for each channel. */
export class Notes {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  read(channel: ChannelId, name: string): string | undefined {
    return this.#sql
      .exec<{ value: string }>(
        "SELECT value FROM channel_notes WHERE agent_id = ? AND channel = ? AND name = ?",
        this.#agentId,
        channel,
        name,
      )
      .toArray()[0]?.value;
  }

  /** Undefined takes it away. */
  write(channel: ChannelId, name: string, value: string | undefined): void {
    if (value === undefined) {
      this.#sql.exec(
        "DELETE FROM channel_notes WHERE agent_id = ? AND channel = ? AND name = ?",
        this.#agentId,
        channel,
        name,
      );
      return;
    }
    this.#sql.exec(
      `INSERT INTO channel_notes (agent_id, channel, name, value) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value`,
      this.#agentId,
      channel,
      name,
      value,
    );
  }
}
