/**
 * Puts right what an unclean end leaves in the gateway's database, before the gateway starts.
 *
 * Two rows matter. `state_leases` with scope `gateway-owner` says that a gateway owns this state for
 * up to five minutes more; the supervisor is the only one that starts gateways here, and does so
 * after the one before is gone, so any such row is stale. An open row in `gateway_boot_lifecycle`
 * counts as an unclean boot; three within five minutes make the gateway start without its chat
 * channels while it calls itself ready. Restart limits are the supervisor's business (see backoff).
 *
 * Both tables are the gateway's own. A test compares them with what the pinned version creates.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface StatePreparation {
  closedBoots: number;
  releasedLeases: number;
}

const BUSY_MS = 2_000;

export function stateDatabasePath(home: string): string {
  return join(home, ".openclaw", "state", "openclaw.sqlite");
}

/** Undefined when there is no database yet. Throws when it is not as expected. */
export function prepareState(home: string, now: number): StatePreparation | undefined {
  const path = stateDatabasePath(home);
  if (!existsSync(path)) return undefined;
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    database.exec("BEGIN IMMEDIATE");
    // A clean stop completes its row with the same outcome. Failed starts count by their outcome.
    const boots = database
      .prepare(
        `UPDATE gateway_boot_lifecycle
         SET outcome = 'clean_stop', completed_at_ms = COALESCE(completed_at_ms, ?),
             reason = 'ended without notice'
         WHERE completed_at_ms IS NULL OR outcome = 'startup_failed'`,
      )
      .run(now);
    const leases = database.prepare("DELETE FROM state_leases WHERE scope = 'gateway-owner'").run();
    database.exec("COMMIT");
    return { closedBoots: Number(boots.changes), releasedLeases: Number(leases.changes) };
  } finally {
    database.close();
  }
}
