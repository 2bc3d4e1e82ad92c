/** What of the gateway's databases does not come along from another install. */
import { DatabaseSync } from "node:sqlite";
import { BUSY_MS } from "./database.ts";

/** Tables of the gateway that hold logins and other secrets of the install they come from. */
export const SECRET_TABLES = [
  ...["auth_profile_store", "auth_profile_state", "secret_store_entries", "mcp_oauth_stores"],
  ...["mcp_oauth_pending_authorizations", "device_auth_tokens", "gateway_origin_device_tokens"],
  ...["device_bootstrap_tokens", "device_pairing_join_codes", "worker_environment_credentials"],
] as const;

/** The most that SQLite takes as one value is a little more. */
const MOST_ZEROES = 500_000_000;
const WIPE = "moltworker_wipe";

/** Empties them; nothing of what they hold or ever held stays in the file. Answers what is wrong with it. */
export function purgeSecrets(path: string): string | undefined {
  try {
    const database = new DatabaseSync(path, { timeout: BUSY_MS });
    try {
      database.exec("PRAGMA synchronous = OFF; PRAGMA secure_delete = ON");
      const named = database.prepare(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
      );
      const present = SECRET_TABLES.filter((table) => named.get(table) !== undefined);
      for (const table of present) database.exec(`DELETE FROM ${table}`);
      if (present.length > 0) wipeFreePages(database);
    } finally {
      database.close();
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Pages that were given up before hold what they held. Filled with zeroes and given up again; a VACUUM would
 * give rows other numbers, which an index of words may go by.
 */
function wipeFreePages(database: DatabaseSync): void {
  const numberOf = (pragma: string) => Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
  let left = numberOf("freelist_count") * numberOf("page_size");
  if (left === 0) return;
  database.exec(`CREATE TABLE ${WIPE} (bytes BLOB)`);
  const fill = database.prepare(`INSERT INTO ${WIPE} VALUES (zeroblob(?))`);
  for (; left > 0; left -= MOST_ZEROES) fill.run(Math.min(left, MOST_ZEROES));
  database.exec(`DROP TABLE ${WIPE}`);
}
