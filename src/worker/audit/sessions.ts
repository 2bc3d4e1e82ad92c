/**
 * Sessions as they began, and the moment before which none counts. Fails closed: a session that says
 * nothing about its beginning is over as soon as any were ended.
 *
 * The signature of a session is checked in the Worker without asking anybody; whether it was ended
 * is asked here, in the one call that a request makes anyway.
 */
import type { SessionNote } from "./calls.ts";
import type { Sql } from "../agent/store/schema.ts";

export const SESSION_MS = 24 * 60 * 60 * 1000;
const MAX_SESSIONS = 500;
const VALID_AFTER = "sessionsValidAfter";

export interface Settings {
  setting(name: string): string | undefined;
  setSetting(name: string, value: string | undefined): void;
}

export class Sessions {
  readonly #sql: Sql;
  readonly #agentId: string;
  readonly #settings: Settings;
  #validAfter: number;

  constructor(sql: Sql, agentId: string, settings: Settings) {
    this.#sql = sql;
    this.#agentId = agentId;
    this.#settings = settings;
    this.#validAfter = Number(settings.setting(VALID_AFTER) ?? "0");
  }

  /** @param issuedAt undefined for a program that sends the token itself with each request */
  admits(issuedAt: number | undefined): boolean {
    return issuedAt === undefined || issuedAt > this.#validAfter;
  }

  note({ id, issuedAt, from, browser }: SessionNote, now: number): void {
    this.#sql.exec(
      "DELETE FROM agent_sessions WHERE agent_id = ? AND issued_at < ?",
      this.#agentId,
      now - SESSION_MS,
    );
    this.#sql.exec(
      `INSERT OR REPLACE INTO agent_sessions (agent_id, id, issued_at, address, browser)
       VALUES (?, ?, ?, ?, ?)`,
      this.#agentId,
      id.slice(0, 64),
      issuedAt,
      from.slice(0, 64),
      browser.slice(0, 120),
    );
    this.#sql.exec(
      `DELETE FROM agent_sessions WHERE agent_id = ?1 AND id IN (
         SELECT id FROM agent_sessions WHERE agent_id = ?1
         ORDER BY issued_at DESC LIMIT -1 OFFSET ?2)`,
      this.#agentId,
      MAX_SESSIONS,
    );
  }

  /** Newest first; those that are over are not among them. */
  list(now: number): SessionNote[] {
    return this.#sql
      .exec<{ id: string; issued_at: number; address: string; browser: string }>(
        `SELECT id, issued_at, address, browser FROM agent_sessions
         WHERE agent_id = ? AND issued_at > ? ORDER BY issued_at DESC`,
        this.#agentId,
        Math.max(this.#validAfter, now - SESSION_MS),
      )
      .toArray()
      .map((row) => ({
        id: row.id,
        issuedAt: row.issued_at,
        from: row.address,
        browser: row.browser,
      }));
  }

  endAll(now: number): void {
    this.#validAfter = now;
    this.#settings.setSetting(VALID_AFTER, String(now));
    this.#sql.exec("DELETE FROM agent_sessions WHERE agent_id = ?", this.#agentId);
  }
}
