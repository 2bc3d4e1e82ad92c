/**
 * The ledger's tables in an agent's Durable Object, apart from the agent's own and with a version
 * of their own. Fails closed: tables of a newer release are refused.
 *
 * Money is in nano-dollars, so that a whole number holds every price exactly enough and sums do
 * not drift.
 */
import { type Sql, StoreTooNewError } from "../../agent/store/schema.ts";

/** One entry a version; entries are never changed once released, only added. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE spend_calls (
     agent_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     at INTEGER NOT NULL,
     day TEXT NOT NULL,
     request_id TEXT NOT NULL,
     attempt INTEGER NOT NULL,
     channel TEXT NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     wire TEXT NOT NULL,
     route TEXT NOT NULL,
     state TEXT NOT NULL,
     status INTEGER,
     reason TEXT,
     stream INTEGER NOT NULL,
     cached INTEGER NOT NULL,
     input INTEGER NOT NULL,
     output INTEGER NOT NULL,
     cache_read INTEGER NOT NULL,
     cache_write INTEGER NOT NULL,
     reasoning INTEGER NOT NULL,
     nano INTEGER NOT NULL,
     price_known INTEGER NOT NULL,
     first_ms INTEGER,
     total_ms INTEGER,
     provider_request_id TEXT,
     PRIMARY KEY (agent_id, n)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX spend_calls_at ON spend_calls (agent_id, at);
   CREATE INDEX spend_calls_open ON spend_calls (agent_id, day) WHERE state = 'open';
   CREATE TABLE spend_days (
     agent_id TEXT NOT NULL,
     day TEXT NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     channel TEXT NOT NULL,
     calls INTEGER NOT NULL,
     failed INTEGER NOT NULL,
     cached INTEGER NOT NULL,
     tokens INTEGER NOT NULL,
     nano INTEGER NOT NULL,
     unknown_nano INTEGER NOT NULL,
     bound_nano INTEGER NOT NULL,
     PRIMARY KEY (agent_id, day, provider, model, channel)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE spend_settings (
     agent_id TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT;
   CREATE TABLE spend_alerts (
     agent_id TEXT NOT NULL,
     period TEXT NOT NULL,
     unit TEXT NOT NULL,
     percent INTEGER NOT NULL,
     at INTEGER NOT NULL,
     delivered INTEGER,
     tries INTEGER NOT NULL,
     PRIMARY KEY (agent_id, period, unit, percent)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE spend_cache (
     agent_id TEXT NOT NULL,
     key TEXT NOT NULL,
     at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     content_type TEXT NOT NULL,
     body BLOB NOT NULL,
     bytes INTEGER NOT NULL,
     PRIMARY KEY (agent_id, key)
   ) STRICT;
   CREATE INDEX spend_cache_at ON spend_cache (agent_id, at);`,
  `CREATE TABLE spend_texts (
     agent_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     at INTEGER NOT NULL,
     prompt TEXT NOT NULL,
     answer TEXT NOT NULL,
     PRIMARY KEY (agent_id, n)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX spend_texts_at ON spend_texts (agent_id, at);`,
  `CREATE TABLE spend_ahead (
     agent_id TEXT PRIMARY KEY,
     at INTEGER NOT NULL,
     day TEXT NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     wire TEXT NOT NULL,
     route TEXT NOT NULL,
     input INTEGER NOT NULL,
     output INTEGER NOT NULL,
     nano INTEGER NOT NULL,
     price_known INTEGER NOT NULL
   ) STRICT;`,
  `ALTER TABLE spend_alerts ADD COLUMN cap REAL;
   ALTER TABLE spend_alerts ADD COLUMN told TEXT;`,
];

export function migrateLedger(sql: Sql): void {
  sql.exec("CREATE TABLE IF NOT EXISTS spend_schema (version INTEGER NOT NULL) STRICT");
  const found = sql.exec<{ version: number }>("SELECT version FROM spend_schema").toArray()[0];
  const version = found?.version ?? 0;
  if (version > MIGRATIONS.length) throw new StoreTooNewError(version, MIGRATIONS.length);
  if (version === MIGRATIONS.length) return;
  for (const migration of MIGRATIONS.slice(version)) sql.exec(migration);
  sql.exec("DELETE FROM spend_schema");
  sql.exec("INSERT INTO spend_schema (version) VALUES (?)", MIGRATIONS.length);
}
