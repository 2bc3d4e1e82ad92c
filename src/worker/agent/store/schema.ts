/**
 * The tables of one agent's Durable Object. Every key begins with the agent id, although each agent
 * has a database of its own: rows stay unambiguous in an export or a merge.
 *
 * Fails closed: a database written by a newer version is refused, never read by guess.
 */
export type SqlValue = string | number | null | ArrayBuffer;

/** The part of the platform's `SqlStorage` that is used here. */
export interface Sql {
  exec<T extends Record<string, SqlValue>>(
    query: string,
    ...bindings: SqlValue[]
  ): { toArray(): T[] };
}

/** One entry a version; entries are never changed once released, only added. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE agent_life (
     agent_id TEXT PRIMARY KEY,
     phase TEXT NOT NULL,
     since INTEGER NOT NULL,
     start_generation INTEGER NOT NULL,
     failures INTEGER NOT NULL,
     last_error TEXT,
     retry_at INTEGER,
     gateway_token TEXT NOT NULL,
     control_token TEXT,
     last_activity INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE agent_phase_timings (
     agent_id TEXT NOT NULL,
     start_generation INTEGER NOT NULL,
     position INTEGER NOT NULL,
     phase TEXT NOT NULL,
     ms INTEGER NOT NULL,
     PRIMARY KEY (agent_id, start_generation, position)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE agent_devices (
     agent_id TEXT NOT NULL,
     device_id TEXT NOT NULL,
     name TEXT,
     approved_at INTEGER NOT NULL,
     approved_by TEXT NOT NULL,
     PRIMARY KEY (agent_id, device_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE agent_refused_hosts (
     agent_id TEXT NOT NULL,
     host TEXT NOT NULL,
     times INTEGER NOT NULL,
     first_at INTEGER NOT NULL,
     last_at INTEGER NOT NULL,
     PRIMARY KEY (agent_id, host)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE agent_settings (
     agent_id TEXT NOT NULL,
     name TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (agent_id, name)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE agent_events (
     agent_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL,
     text TEXT NOT NULL,
     PRIMARY KEY (agent_id, n)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE agent_audit (
     agent_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL,
     who TEXT NOT NULL,
     address TEXT NOT NULL,
     detail TEXT NOT NULL,
     times INTEGER NOT NULL,
     PRIMARY KEY (agent_id, n)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE agent_sessions (
     agent_id TEXT NOT NULL,
     id TEXT NOT NULL,
     issued_at INTEGER NOT NULL,
     address TEXT NOT NULL,
     browser TEXT NOT NULL,
     PRIMARY KEY (agent_id, id)
   ) STRICT, WITHOUT ROWID;`,
];

export class StoreTooNewError extends Error {
  readonly code = "store-too-new";
  constructor(found: number, known: number) {
    super(
      `This agent's storage has version ${found}; this release knows ${known}. ` +
        "Deploy the newer release again.",
    );
  }
}

/** Brings the database to the present version. Takes no write when it already is. */
export function migrate(sql: Sql): void {
  sql.exec("CREATE TABLE IF NOT EXISTS agent_schema (version INTEGER NOT NULL) STRICT");
  const found = sql.exec<{ version: number }>("SELECT version FROM agent_schema").toArray()[0];
  const version = found?.version ?? 0;
  if (version > MIGRATIONS.length) throw new StoreTooNewError(version, MIGRATIONS.length);
  if (version === MIGRATIONS.length) return;
  for (const migration of MIGRATIONS.slice(version)) sql.exec(migration);
  sql.exec("DELETE FROM agent_schema");
  sql.exec("INSERT INTO agent_schema (version) VALUES (?)", MIGRATIONS.length);
}
