/**
 * The browser's tables in an agent's Durable Object, with a version of their own. They hold who used
 * a browser, when, and which pages: no query, no fragment, nothing of a page's content.
 */
import type { BrowserHolder } from "../../protocol/browser.ts";
import { type Sql, type SqlValue, StoreTooNewError } from "../agent/store/schema.ts";

/** One entry a version; entries are never changed once released, only added. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE browser_sessions (
     agent_id TEXT NOT NULL,
     id TEXT NOT NULL,
     holder TEXT NOT NULL,
     address TEXT NOT NULL,
     shared INTEGER NOT NULL,
     started_at INTEGER NOT NULL,
     seen_at INTEGER NOT NULL,
     ended_at INTEGER,
     PRIMARY KEY (agent_id, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE browser_visits (
     agent_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     at INTEGER NOT NULL,
     holder TEXT NOT NULL,
     session_id TEXT NOT NULL,
     url TEXT NOT NULL,
     PRIMARY KEY (agent_id, n)
   ) STRICT, WITHOUT ROWID;`,
];

const KEEP_SESSIONS_MS = 7 * 86_400_000;
const MOST_VISITS = 200;
const VISITS_SHOWN = 50;
const DAY_MS = 86_400_000;

export interface SessionRow {
  id: string;
  holder: BrowserHolder;
  address: string;
  shared: boolean;
  startedAt: number;
}

export interface Visit {
  url: string;
  at: number;
  holder: BrowserHolder;
}

interface StoredSession extends Record<string, SqlValue> {
  id: string;
  holder: string;
  address: string;
  shared: number;
  started_at: number;
}

export class BrowserStore {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    migrateBrowser(sql);
    this.#sql = sql;
    this.#agentId = agentId;
  }

  begin(session: SessionRow): void {
    this.#sql.exec(
      "DELETE FROM browser_sessions WHERE agent_id = ? AND ended_at < ?",
      this.#agentId,
      session.startedAt - KEEP_SESSIONS_MS,
    );
    this.#sql.exec(
      `INSERT INTO browser_sessions (agent_id, id, holder, address, shared, started_at, seen_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      this.#agentId,
      session.id,
      session.holder,
      session.address,
      session.shared ? 1 : 0,
      session.startedAt,
      session.startedAt,
    );
  }

  /** Those that have not ended, oldest first. */
  live(): SessionRow[] {
    return this.#sql
      .exec<StoredSession>(
        `SELECT id, holder, address, shared, started_at FROM browser_sessions
         WHERE agent_id = ? AND ended_at IS NULL ORDER BY started_at`,
        this.#agentId,
      )
      .toArray()
      .map((row) => ({
        id: row.id,
        holder: row.holder === "agent" ? "agent" : "outside",
        address: row.address,
        shared: row.shared === 1,
        startedAt: row.started_at,
      }));
  }

  seen(id: string, now: number): void {
    this.#sql.exec(
      "UPDATE browser_sessions SET seen_at = ? WHERE agent_id = ? AND id = ?",
      now,
      this.#agentId,
      id,
    );
  }

  /** @param at undefined when nobody knows: then it ended when it was last seen */
  end(id: string, at: number | undefined): void {
    this.#sql.exec(
      `UPDATE browser_sessions SET ended_at = MAX(started_at, COALESCE(?, seen_at))
       WHERE agent_id = ? AND id = ? AND ended_at IS NULL`,
      at ?? null,
      this.#agentId,
      id,
    );
  }

  /** Milliseconds of all sessions together since midnight UTC. */
  usedToday(now: number): number {
    const midnight = now - (now % DAY_MS);
    const row = this.#sql
      .exec<{ used: number | null }>(
        `SELECT SUM(COALESCE(ended_at, ?2) - MAX(started_at, ?3)) AS used FROM browser_sessions
         WHERE agent_id = ?1 AND COALESCE(ended_at, ?2) > ?3`,
        this.#agentId,
        now,
        midnight,
      )
      .toArray()[0];
    return Math.max(0, row?.used ?? 0);
  }

  /** A page that was seen open; told again at each look, it is one visit. */
  visit({ id, holder }: SessionRow, url: string, now: number): void {
    const known = this.#sql
      .exec<{ n: number }>(
        `SELECT n FROM browser_visits WHERE agent_id = ? AND session_id = ? AND url = ?`,
        this.#agentId,
        id,
        url,
      )
      .toArray()[0];
    if (known !== undefined) return;
    const last = this.#sql
      .exec<{ n: number | null }>(
        "SELECT MAX(n) AS n FROM browser_visits WHERE agent_id = ?",
        this.#agentId,
      )
      .toArray()[0];
    const n = (last?.n ?? 0) + 1;
    this.#sql.exec(
      `INSERT INTO browser_visits (agent_id, n, at, holder, session_id, url)
       VALUES (?, ?, ?, ?, ?, ?)`,
      this.#agentId,
      n,
      now,
      holder,
      id,
      url,
    );
    this.#sql.exec(
      "DELETE FROM browser_visits WHERE agent_id = ? AND n <= ?",
      this.#agentId,
      n - MOST_VISITS,
    );
  }

  /** Newest first. */
  visits(): Visit[] {
    return this.#sql
      .exec<{ url: string; at: number; holder: string }>(
        "SELECT url, at, holder FROM browser_visits WHERE agent_id = ? ORDER BY n DESC LIMIT ?",
        this.#agentId,
        VISITS_SHOWN,
      )
      .toArray()
      .map(({ url, at, holder }) => ({
        url,
        at,
        holder: holder === "agent" ? "agent" : "outside",
      }));
  }
}

function migrateBrowser(sql: Sql): void {
  sql.exec("CREATE TABLE IF NOT EXISTS browser_schema (version INTEGER NOT NULL) STRICT");
  const found = sql.exec<{ version: number }>("SELECT version FROM browser_schema").toArray()[0];
  const version = found?.version ?? 0;
  if (version > MIGRATIONS.length) throw new StoreTooNewError(version, MIGRATIONS.length);
  if (version === MIGRATIONS.length) return;
  for (const migration of MIGRATIONS.slice(version)) sql.exec(migration);
  sql.exec("DELETE FROM browser_schema");
  sql.exec("INSERT INTO browser_schema (version) VALUES (?)", MIGRATIONS.length);
}
