/**
 * The inbox: letters from their arrival until a committed backup holds the gateway's acknowledgement.
 *
 *   waiting → given (accepted by the gateway of one start) → forgotten
 *      ↑        └── that start ended without a backup that holds it
 *      └── dead (an admin may put it back)
 *
 * Nothing leaves this table for being old or for there being many: a full inbox refuses arrivals,
 * which the platform then keeps and sends again.
 */
import type { LetterView } from "../../../protocol/admin-channels.ts";
import { CHANNEL_IDS, type ChannelId } from "../../../protocol/channels.ts";
import type { Sql, SqlValue } from "../../agent/store/schema.ts";
import type { Arrival, Letter } from "../channel.ts";
import type { KnownEvents } from "./known-events.ts";
import { letterOf, SHOWN, shownOf, type LetterRow } from "./letter-row.ts";

/** Letters that may wait at once, and what one may weigh: a Durable Object's row holds 2 MB. */
export const MAX_LETTERS = 5_000;
export const MAX_BODY_CHARS = 600_000;
const MAX_PREVIEW = 280;
const MAX_ERROR = 500;

export class Letters {
  readonly #sql: Sql;
  readonly #agentId: string;
  readonly #known: KnownEvents;

  constructor(sql: Sql, agentId: string, known: KnownEvents) {
    this.#sql = sql;
    this.#agentId = agentId;
    this.#known = known;
  }

  /**
   * @param wakes whether the agent is woken for it
   * @returns whether the event had been stored before, is stored now, or found no room
   */
  put(arrival: Arrival, wakes: boolean, now: number): "stored" | "known" | "full" {
    if (this.#known.has(arrival)) return "known";
    if (this.count() >= MAX_LETTERS) return "full";
    this.#known.add(arrival, now);
    const { channel, eventId, sender, chat, kind, preview, headers, body } = arrival;
    this.#sql.exec(
      `INSERT INTO channel_letters (agent_id, n, channel, event_id, sender_id, sender_name, chat,
         kind, preview, headers, body, at, wakes, state, tries, next_at)
       SELECT ?1, COALESCE(MAX(n), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'waiting', 0, ?11
       FROM channel_letters WHERE agent_id = ?1`,
      this.#agentId,
      channel,
      eventId,
      sender?.id ?? null,
      sender?.name ?? null,
      chat ?? null,
      kind,
      preview.slice(0, MAX_PREVIEW),
      JSON.stringify(headers ?? {}),
      body,
      now,
      wakes ? 1 : 0,
    );
    return "stored";
  }

  count(state?: LetterView["state"], channel?: ChannelId): number {
    const found = this.#sql
      .exec<{ total: number }>(
        `SELECT COUNT(*) AS total FROM channel_letters
         WHERE agent_id = ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR channel = ?3)`,
        this.#agentId,
        state ?? null,
        channel ?? null,
      )
      .toArray()[0];
    return found?.total ?? 0;
  }

  /** The oldest waiting letter of a channel; the ones behind it wait for it. */
  head(channel: ChannelId): (Letter & { nextAt: number }) | undefined {
    const row = this.#rows(
      "SELECT * FROM channel_letters WHERE agent_id = ? AND state = 'waiting' AND channel = ? ORDER BY n LIMIT 1",
      channel,
    )[0];
    return row === undefined ? undefined : { ...letterOf(row), nextAt: row.next_at };
  }

  /** When the next attempt is due, over all channels; undefined when nothing waits. */
  nextAt(): number | undefined {
    const heads = CHANNEL_IDS.flatMap((channel) => this.head(channel)?.nextAt ?? []);
    return heads.length === 0 ? undefined : Math.min(...heads);
  }

  /** Letters of these channels that the agent is to be woken for, the oldest of each chat. */
  waking(limit: number, channels: Iterable<ChannelId>): Letter[] {
    return this.#rows(
      `SELECT * FROM channel_letters WHERE agent_id = ?1 AND n IN (
         SELECT MIN(n) FROM channel_letters
         WHERE agent_id = ?1 AND state = 'waiting' AND wakes = 1
           AND channel IN (SELECT value FROM json_each(?3)) GROUP BY channel, chat)
       ORDER BY n LIMIT ?2`,
      limit,
      JSON.stringify([...channels]),
    ).map(letterOf);
  }

  given(n: number, startGeneration: number, mark: number): void {
    this.#sql.exec(
      `UPDATE channel_letters SET state = 'given', start_generation = ?, mark = ?, tries = tries + 1,
         last_error = NULL WHERE agent_id = ? AND n = ?`,
      startGeneration,
      mark,
      this.#agentId,
      n,
    );
  }

  failed(n: number, reason: string, nextAt: number): void {
    this.#sql.exec(
      `UPDATE channel_letters SET tries = tries + 1, next_at = ?, last_error = ?
       WHERE agent_id = ? AND n = ?`,
      nextAt,
      reason.slice(0, MAX_ERROR),
      this.#agentId,
      n,
    );
  }

  bury(n: number, reason: string): void {
    this.#sql.exec(
      `UPDATE channel_letters SET state = 'dead', tries = tries + 1, last_error = ?
       WHERE agent_id = ? AND n = ?`,
      reason.slice(0, MAX_ERROR),
      this.#agentId,
      n,
    );
  }

  /** Committed backups of this start hold every acknowledgement up to `mark`. */
  kept(startGeneration: number, mark: number): void {
    this.#sql.exec(
      `DELETE FROM channel_letters
       WHERE agent_id = ? AND state = 'given' AND start_generation = ? AND mark <= ?`,
      this.#agentId,
      startGeneration,
      mark,
    );
  }

  /** What a gateway took once and no backup is known to hold, the newest `limit`; `maxChars` a body. */
  once(channel: ChannelId, { limit, maxChars }: { limit: number; maxChars: number }): Letter[] {
    return this.#rows(
      `SELECT * FROM channel_letters WHERE agent_id = ? AND start_generation IS NOT NULL
         AND state IN ('given', 'waiting') AND channel = ? AND LENGTH(body) <= ? ORDER BY n DESC LIMIT ?`,
      channel,
      maxChars,
      limit,
    ).map(letterOf);
  }

  /** Acknowledgements of any other start died with it. @returns how many letters wait again */
  takeBack(startGeneration: number, now: number): number {
    const lost = this.#rows(
      `SELECT ${SHOWN} FROM channel_letters
       WHERE agent_id = ? AND state = 'given' AND start_generation <> ?`,
      startGeneration,
    ).length;
    if (lost === 0) return 0;
    this.#sql.exec(
      `UPDATE channel_letters SET state = 'waiting', next_at = ?
       WHERE agent_id = ? AND state = 'given' AND start_generation <> ?`,
      now,
      this.#agentId,
      startGeneration,
    );
    return lost;
  }

  /** Puts a dead or backed-off letter at its place in the order again, due at once. */
  retry(n: number, now: number): boolean {
    if (this.find(n) === undefined) return false;
    this.#sql.exec(
      `UPDATE channel_letters SET state = 'waiting', tries = 0, next_at = ?
       WHERE agent_id = ? AND n = ? AND state IN ('dead', 'waiting')`,
      now,
      this.#agentId,
      n,
    );
    return true;
  }

  drop(n: number): boolean {
    if (this.find(n) === undefined) return false;
    this.#sql.exec("DELETE FROM channel_letters WHERE agent_id = ? AND n = ?", this.#agentId, n);
    return true;
  }

  find(n: number): LetterView | undefined {
    return this.#rows(`SELECT ${SHOWN} FROM channel_letters WHERE agent_id = ? AND n = ?`, n).map(
      shownOf,
    )[0];
  }

  /** Dead ones first, then in the order of arrival. */
  list(limit: number): LetterView[] {
    return this.#rows(
      `SELECT ${SHOWN} FROM channel_letters WHERE agent_id = ?
       ORDER BY state = 'dead' DESC, n LIMIT ?`,
      limit,
    ).map(shownOf);
  }

  #rows(query: string, ...bindings: SqlValue[]): LetterRow[] {
    return this.#sql.exec<LetterRow>(query, this.#agentId, ...bindings).toArray();
  }
}
