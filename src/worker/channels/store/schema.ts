/**
 * The tables of the chat channels in an agent's Durable Object, apart from the agent's own and with
 * a version of their own. Fails closed: tables of a newer release are refused.
 */
import { type Sql, StoreTooNewError } from "../../agent/store/schema.ts";

/** One entry a version; entries are never changed once released, only added. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE channel_letters (
     agent_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     channel TEXT NOT NULL,
     event_id TEXT NOT NULL,
     sender_id TEXT,
     sender_name TEXT,
     chat TEXT,
     kind TEXT NOT NULL,
     preview TEXT NOT NULL,
     headers TEXT NOT NULL,
     body TEXT NOT NULL,
     at INTEGER NOT NULL,
     wakes INTEGER NOT NULL,
     state TEXT NOT NULL,
     tries INTEGER NOT NULL,
     next_at INTEGER NOT NULL,
     last_error TEXT,
     start_generation INTEGER,
     mark INTEGER,
     PRIMARY KEY (agent_id, n)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX channel_letters_by_state ON channel_letters (agent_id, state, channel, n);
   CREATE TABLE channel_seen (
     agent_id TEXT NOT NULL,
     channel TEXT NOT NULL,
     event_id TEXT NOT NULL,
     at INTEGER NOT NULL,
     PRIMARY KEY (agent_id, channel, event_id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX channel_seen_by_time ON channel_seen (agent_id, at);
   CREATE TABLE channel_senders (
     agent_id TEXT NOT NULL,
     channel TEXT NOT NULL,
     sender_id TEXT NOT NULL,
     name TEXT,
     approved_at INTEGER NOT NULL,
     approved_by TEXT NOT NULL,
     barred INTEGER NOT NULL,
     PRIMARY KEY (agent_id, channel, sender_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE channel_strangers (
     agent_id TEXT NOT NULL,
     channel TEXT NOT NULL,
     sender_id TEXT NOT NULL,
     day TEXT NOT NULL,
     messages INTEGER NOT NULL,
     replied INTEGER NOT NULL,
     woke INTEGER NOT NULL,
     PRIMARY KEY (agent_id, channel, sender_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE channel_notes (
     agent_id TEXT NOT NULL,
     channel TEXT NOT NULL,
     name TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (agent_id, channel, name)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE INDEX channel_letters_of_the_crowd ON channel_letters (agent_id, channel, chat)
   WHERE wakes = 0;`,
];

/** Brings the tables to the present version. Takes no write when they already are. */
export function migrateChannels(sql: Sql): void {
  sql.exec("CREATE TABLE IF NOT EXISTS channels_schema (version INTEGER NOT NULL) STRICT");
  const found = sql.exec<{ version: number }>("SELECT version FROM channels_schema").toArray()[0];
  const version = found?.version ?? 0;
  if (version > MIGRATIONS.length) throw new StoreTooNewError(version, MIGRATIONS.length);
  if (version === MIGRATIONS.length) return;
  for (const migration of MIGRATIONS.slice(version)) sql.exec(migration);
  sql.exec("DELETE FROM channels_schema");
  sql.exec("INSERT INTO channels_schema (version) VALUES (?)", MIGRATIONS.length);
}
