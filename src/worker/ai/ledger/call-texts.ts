/**
 * Excerpts of prompts and answers: none unless an admin switches it on, bounded in length, number and
 * time, and gone at once when it is switched off.
 */
import type { CallTexts } from "../../../protocol/spend.ts";
import type { TextSettings } from "../../../protocol/spend-settings.ts";
import type { Sql } from "../../agent/store/schema.ts";

const DAY_MS = 86_400_000;
/** With `MAX_EXCERPT` characters each this is some 30 MB at most. */
const MAX_ROWS = 2000;

export class CallTextStore {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  keep(n: number, { prompt, answer }: CallTexts, settings: TextSettings, now: number): void {
    if (!settings.enabled) return;
    this.#sql.exec(
      `INSERT OR REPLACE INTO spend_texts (agent_id, n, at, prompt, answer) VALUES (?, ?, ?, ?, ?)`,
      this.#agentId,
      n,
      now,
      prompt,
      answer,
    );
    this.trim(settings, now);
  }

  find(n: number): CallTexts | undefined {
    return this.#sql
      .exec<{ prompt: string; answer: string }>(
        "SELECT prompt, answer FROM spend_texts WHERE agent_id = ? AND n = ?",
        this.#agentId,
        n,
      )
      .toArray()[0];
  }

  trim({ enabled, days }: TextSettings, now: number): void {
    this.#sql.exec(
      `DELETE FROM spend_texts WHERE agent_id = ?1 AND (at < ?2 OR n <= (
         SELECT n FROM spend_texts WHERE agent_id = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?3))`,
      this.#agentId,
      enabled ? now - days * DAY_MS : Number.MAX_SAFE_INTEGER,
      MAX_ROWS,
    );
  }
}
