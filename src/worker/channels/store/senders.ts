/**
 * Who is let in, as an admin approved it, and what strangers have used up today. The sandbox cannot
 * write here: an agent under somebody else's control approves nobody who could wake it.
 */
import type { ApprovedSender } from "../../../protocol/admin-channels.ts";
import type { ChannelId } from "../../../protocol/channels.ts";
import type { Sql } from "../../agent/store/schema.ts";

/** What one stranger has used up today. */
export interface StrangerDay {
  messages: number;
  replied: boolean;
}

interface Row extends Record<string, string | number | null> {
  channel: ChannelId;
  sender_id: string;
  name: string | null;
  approved_at: number;
  approved_by: string;
  barred: number;
}

const MAX_APPROVED = 1_000;
/** Strangers who are remembered; they choose how many there are. */
const MAX_STRANGERS = 2_000;

export class Senders {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  /** Everybody who was ever let in. */
  approved(): ApprovedSender[] {
    return this.#sql
      .exec<Row>(
        "SELECT * FROM channel_senders WHERE agent_id = ? ORDER BY approved_at, sender_id",
        this.#agentId,
      )
      .toArray()
      .map(approvedOf);
  }

  /** Undefined for whom no admin has decided on. */
  standing(channel: ChannelId, id: string): "approved" | "barred" | undefined {
    const row = this.#sql
      .exec<{ barred: number }>(
        "SELECT barred FROM channel_senders WHERE agent_id = ? AND channel = ? AND sender_id = ?",
        this.#agentId,
        channel,
        id,
      )
      .toArray()[0];
    if (row === undefined) return undefined;
    return row.barred === 1 ? "barred" : "approved";
  }

  /** False when as many are known as one agent may have. */
  approve(sender: Omit<ApprovedSender, "barred">): boolean {
    const { channel, id, name, approvedAt, approvedBy } = sender;
    if (this.standing(channel, id) === undefined && this.approved().length >= MAX_APPROVED) {
      return false;
    }
    this.#sql.exec(
      `INSERT INTO channel_senders
         (agent_id, channel, sender_id, name, approved_at, approved_by, barred)
       VALUES (?, ?, ?, ?, ?, ?, 0)
       ON CONFLICT DO UPDATE SET name = excluded.name, approved_at = excluded.approved_at,
         approved_by = excluded.approved_by, barred = 0`,
      this.#agentId,
      channel,
      id,
      name ?? null,
      approvedAt,
      approvedBy,
    );
    return true;
  }

  /** False when nobody of that id was ever let in. */
  bar(channel: ChannelId, id: string, barred: boolean): boolean {
    if (this.standing(channel, id) === undefined) return false;
    this.#sql.exec(
      "UPDATE channel_senders SET barred = ? WHERE agent_id = ? AND channel = ? AND sender_id = ?",
      barred ? 1 : 0,
      this.#agentId,
      channel,
      id,
    );
    return true;
  }

  stranger(channel: ChannelId, id: string, day: string): StrangerDay {
    const row = this.#sql
      .exec<{ messages: number; replied: number }>(
        `SELECT messages, replied FROM channel_strangers
         WHERE agent_id = ? AND channel = ? AND sender_id IN (?, '') AND day = ?
         ORDER BY sender_id DESC LIMIT 1`,
        this.#agentId,
        channel,
        id,
        day,
      )
      .toArray()[0];
    return row === undefined
      ? { messages: 0, replied: false }
      : { messages: row.messages, replied: row.replied === 1 };
  }

  /** Wakes by strangers today, over all channels. */
  wakes(day: string): number {
    const row = this.#sql
      .exec<{ total: number | null }>(
        "SELECT SUM(woke) AS total FROM channel_strangers WHERE agent_id = ? AND day = ?",
        this.#agentId,
        day,
      )
      .toArray()[0];
    return row?.total ?? 0;
  }

  /** Counts one message of a stranger, and whether it was answered or woke the agent. */
  count(
    channel: ChannelId,
    id: string,
    day: string,
    { replied, woke }: { replied: boolean; woke: boolean },
  ): void {
    this.#sql.exec(
      "DELETE FROM channel_strangers WHERE agent_id = ? AND day <> ?",
      this.#agentId,
      day,
    );
    const known = this.#sql
      .exec<{ total: number; own: number | null }>(
        `SELECT COUNT(*) AS total, SUM(channel = ? AND sender_id = ?) AS own
         FROM channel_strangers WHERE agent_id = ?`,
        channel,
        id,
        this.#agentId,
      )
      .toArray()[0];
    // Beyond the bound they share one row, whose counts are then everybody's.
    const row = (known?.total ?? 0) < MAX_STRANGERS || known?.own === 1 ? id : "";
    this.#sql.exec(
      `INSERT INTO channel_strangers (agent_id, channel, sender_id, day, messages, replied, woke)
       VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)
       ON CONFLICT DO UPDATE SET messages = messages + 1, replied = MAX(replied, ?5),
         woke = woke + ?6`,
      this.#agentId,
      channel,
      row,
      day,
      replied ? 1 : 0,
      woke ? 1 : 0,
    );
  }
}

function approvedOf(row: Row): ApprovedSender {
  const { channel, name, sender_id: id, approved_at: approvedAt, approved_by: approvedBy } = row;
  const barred = row.barred === 1;
  return { channel, id, approvedAt, approvedBy, barred, ...(name === null ? {} : { name }) };
}
