/**
 * Apps that were let in, and codes that were not used yet, in the agent's Durable Object. Fails
 * closed: a code counts once, in its time, and an app that is not listed here is none.
 *
 * Nothing that is kept lets anybody in: of a code only a hash, of a credential only its name.
 */
import type { AdminApps, App } from "../../protocol/admin-apps.ts";
import { type Sql, StoreTooNewError } from "../agent/store/schema.ts";
import type { CodeNote, Redeemed, Redemption } from "./calls.ts";

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE app_codes (
     agent_id TEXT NOT NULL,
     hash TEXT NOT NULL,
     name TEXT NOT NULL,
     made_by TEXT NOT NULL,
     expires_at INTEGER NOT NULL,
     PRIMARY KEY (agent_id, hash)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE app_credentials (
     agent_id TEXT NOT NULL,
     id TEXT NOT NULL,
     name TEXT NOT NULL,
     let_in_at INTEGER NOT NULL,
     made_by TEXT NOT NULL,
     address TEXT NOT NULL,
     last_seen_at INTEGER,
     device_id TEXT,
     vouched_until INTEGER NOT NULL,
     PRIMARY KEY (agent_id, id)
   ) STRICT, WITHOUT ROWID;`,
];

const MAX_CODES = 5;
const MAX_APPS = 100;
/** For so long after the exchange a device is approved without being looked at. */
const VOUCHED_MS = 60 * 60_000;
/** Between two writes of when an app was last seen. */
const SEEN_PAUSE_MS = 10 * 60_000;

interface AppRow extends Record<string, string | number | null> {
  id: string;
  name: string;
  let_in_at: number;
  made_by: string;
  address: string;
  last_seen_at: number | null;
  device_id: string | null;
}

type Entered = { ok: true; by: string; name: string } | Extract<Redeemed, { ok: false }>;

export class AppStore {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
    migrate(sql);
  }

  noteCode({ hash, name, by, expiresAt }: CodeNote, now: number): void {
    this.#forgetOldCodes(now);
    this.#sql.exec(
      `INSERT OR REPLACE INTO app_codes (agent_id, hash, name, made_by, expires_at)
       VALUES (?, ?, ?, ?, ?)`,
      this.#agentId,
      hash,
      name,
      by,
      expiresAt,
    );
    this.#sql.exec(
      `DELETE FROM app_codes WHERE agent_id = ?1 AND hash IN (
         SELECT hash FROM app_codes WHERE agent_id = ?1
         ORDER BY expires_at DESC LIMIT -1 OFFSET ?2)`,
      this.#agentId,
      MAX_CODES,
    );
  }

  /** The code is gone before anybody hears that it counted. */
  redeem({ hash, id, name, from, deviceId }: Redemption, now: number): Entered {
    const [code] = this.#sql
      .exec<{ name: string; made_by: string }>(
        "SELECT name, made_by FROM app_codes WHERE agent_id = ? AND hash = ? AND expires_at > ?",
        this.#agentId,
        hash,
        now,
      )
      .toArray();
    if (code === undefined) return { ok: false, reason: "over" };
    if (this.#apps().length >= MAX_APPS) return { ok: false, reason: "full" };
    this.#sql.exec("DELETE FROM app_codes WHERE agent_id = ? AND hash = ?", this.#agentId, hash);
    const named = code.name === "" ? (name ?? "") : code.name;
    this.#sql.exec(
      `INSERT INTO app_credentials
         (agent_id, id, name, let_in_at, made_by, address, device_id, vouched_until)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#agentId,
      id,
      named,
      now,
      code.made_by,
      from.slice(0, 64),
      deviceId ?? null,
      deviceId === undefined ? 0 : now + VOUCHED_MS,
    );
    return { ok: true, by: code.made_by, name: named };
  }

  list(now: number): AdminApps {
    const codes = this.#sql
      .exec<{ name: string; made_by: string; expires_at: number }>(
        `SELECT name, made_by, expires_at FROM app_codes
         WHERE agent_id = ? AND expires_at > ? ORDER BY expires_at DESC`,
        this.#agentId,
        now,
      )
      .toArray()
      .map((row) => ({ name: row.name, by: row.made_by, expiresAt: row.expires_at }));
    return { codes, apps: this.#apps().map(appOf) };
  }

  /** Whether the app is listed; when it was seen is written down now and then. */
  admits(id: string, now: number): boolean {
    const [row] = this.#sql
      .exec<{ last_seen_at: number | null }>(
        "SELECT last_seen_at FROM app_credentials WHERE agent_id = ? AND id = ?",
        this.#agentId,
        id,
      )
      .toArray();
    if (row === undefined) return false;
    if (now - (row.last_seen_at ?? 0) >= SEEN_PAUSE_MS) {
      this.#sql.exec(
        "UPDATE app_credentials SET last_seen_at = ? WHERE agent_id = ? AND id = ?",
        now,
        this.#agentId,
        id,
      );
    }
    return true;
  }

  /** The app as it was; undefined when there is none of that id. */
  remove(id: string): App | undefined {
    const app = this.#apps().find((row) => row.id === id);
    if (app === undefined) return undefined;
    this.#sql.exec("DELETE FROM app_credentials WHERE agent_id = ? AND id = ?", this.#agentId, id);
    return appOf(app);
  }

  removeAll(): void {
    this.dropCodes();
    this.#sql.exec("DELETE FROM app_credentials WHERE agent_id = ?", this.#agentId);
  }

  dropCodes(): void {
    this.#sql.exec("DELETE FROM app_codes WHERE agent_id = ?", this.#agentId);
  }

  /** Devices that are to be approved when they ask, with the admin who made the code. */
  vouched(now: number): { deviceId: string; by: string }[] {
    return this.#sql
      .exec<{ device_id: string; made_by: string }>(
        `SELECT device_id, made_by FROM app_credentials
         WHERE agent_id = ? AND device_id IS NOT NULL AND vouched_until > ?`,
        this.#agentId,
        now,
      )
      .toArray()
      .map((row) => ({ deviceId: row.device_id, by: row.made_by }));
  }

  /** An admin or the approval has settled what becomes of the device. */
  settle(deviceId: string): void {
    this.#sql.exec(
      "UPDATE app_credentials SET vouched_until = 0 WHERE agent_id = ? AND device_id = ?",
      this.#agentId,
      deviceId,
    );
  }

  #apps(): AppRow[] {
    return this.#sql
      .exec<AppRow>(
        "SELECT * FROM app_credentials WHERE agent_id = ? ORDER BY let_in_at DESC, id",
        this.#agentId,
      )
      .toArray();
  }

  #forgetOldCodes(now: number): void {
    this.#sql.exec(
      "DELETE FROM app_codes WHERE agent_id = ? AND expires_at <= ?",
      this.#agentId,
      now,
    );
  }
}

function appOf(row: AppRow): App {
  const { id, name, let_in_at: letInAt, made_by: by, address: from } = row;
  return {
    ...{ id, name, letInAt, by, from },
    ...(row.last_seen_at === null ? {} : { lastSeenAt: row.last_seen_at }),
    ...(row.device_id === null ? {} : { deviceId: row.device_id }),
  };
}

function migrate(sql: Sql): void {
  sql.exec("CREATE TABLE IF NOT EXISTS app_schema (version INTEGER NOT NULL) STRICT");
  const found = sql.exec<{ version: number }>("SELECT version FROM app_schema").toArray()[0];
  const version = found?.version ?? 0;
  if (version > MIGRATIONS.length) throw new StoreTooNewError(version, MIGRATIONS.length);
  if (version === MIGRATIONS.length) return;
  for (const migration of MIGRATIONS.slice(version)) sql.exec(migration);
  sql.exec("DELETE FROM app_schema");
  sql.exec("INSERT INTO app_schema (version) VALUES (?)", MIGRATIONS.length);
}
