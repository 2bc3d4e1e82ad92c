import { DurableObject } from "cloudflare:workers";

/**
 * Remembers redeemed codes on disk, so that workerd may die and come back within one start and a
 * code still works once.
 */
export class AdminCodes extends DurableObject {
  /** True for the first caller with this code, false for every later one. */
  redeem(code: string): boolean {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS redeemed (code TEXT PRIMARY KEY) STRICT");
    return (
      sql.exec("INSERT INTO redeemed (code) VALUES (?) ON CONFLICT DO NOTHING", code).rowsWritten >
      0
    );
  }
}
