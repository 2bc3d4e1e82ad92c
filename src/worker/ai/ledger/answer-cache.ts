/** Answers to identical requests: off unless an admin switches it on, bounded in time and size. */
import type { CacheSettings } from "../../../protocol/spend-settings.ts";
import type { Sql } from "../../agent/store/schema.ts";
import type { CachedAnswer } from "./calls.ts";

/** A row of the database holds 2 MB at most. */
export const MAX_CACHED_BYTES = 1_048_576;

export class AnswerCache {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  find(key: string, now: number): CachedAnswer | undefined {
    const row = this.#sql
      .exec<{ content_type: string; body: ArrayBuffer }>(
        `SELECT content_type, body FROM spend_cache
         WHERE agent_id = ? AND key = ? AND expires_at > ?`,
        this.#agentId,
        key,
        now,
      )
      .toArray()[0];
    return row === undefined ? undefined : { contentType: row.content_type, body: row.body };
  }

  keep(key: string, answer: CachedAnswer, settings: CacheSettings, now: number): void {
    const bytes = answer.body.byteLength;
    if (!settings.enabled || bytes > Math.min(MAX_CACHED_BYTES, settings.maxBytes)) return;
    this.#sql.exec(
      `INSERT INTO spend_cache (agent_id, key, at, expires_at, content_type, body, bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (agent_id, key) DO UPDATE SET at = excluded.at,
         expires_at = excluded.expires_at, content_type = excluded.content_type,
         body = excluded.body, bytes = excluded.bytes`,
      this.#agentId,
      key,
      now,
      now + settings.ttlSeconds * 1000,
      answer.contentType,
      answer.body,
      bytes,
    );
    this.trim(settings, now);
  }

  /** The expired go first, then the oldest, until the rest fits. */
  trim({ enabled, maxBytes }: CacheSettings, now: number): void {
    this.#sql.exec(
      "DELETE FROM spend_cache WHERE agent_id = ? AND (expires_at <= ? OR ?)",
      this.#agentId,
      now,
      enabled ? 0 : 1,
    );
    this.#sql.exec(
      `DELETE FROM spend_cache WHERE agent_id = ?1 AND key IN (
         SELECT key FROM (
           SELECT key, SUM(bytes) OVER (ORDER BY at DESC, key) AS total
           FROM spend_cache WHERE agent_id = ?1
         ) WHERE total > ?2
       )`,
      this.#agentId,
      maxBytes,
    );
  }
}
