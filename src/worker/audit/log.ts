/**
 * Who did what, when and from where, in the Durable Object's own storage: nothing in the sandbox can
 * write or read it. Bounded: the oldest entries make room.
 */
import type { AdminAudit, AuditEntry, AuditKind } from "../../protocol/admin-audit.ts";
import type { NewAuditEntry } from "./calls.ts";
import type { Sql } from "../agent/store/schema.ts";

const MAX_ENTRIES = 20_000;
/** Entries over the bound that may gather before they are removed together. */
const SLACK = 200;
const MAX_PAGE = 500;
const MAX_TEXT = 400;

/** Control characters would let an entry look like two in an export or a terminal. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

export class AuditLog {
  readonly #sql: Sql;
  readonly #agentId: string;
  readonly #clean: (text: string) => string;

  /** @param clean takes secrets out of what somebody typed */
  constructor(sql: Sql, agentId: string, clean: (text: string) => string) {
    this.#sql = sql;
    this.#agentId = agentId;
    this.#clean = clean;
  }

  record(entries: readonly NewAuditEntry[], now: number): void {
    for (const { kind, who, from, detail, times } of entries) {
      this.#sql.exec(
        `INSERT INTO agent_audit (agent_id, n, at, kind, who, address, detail, times)
         SELECT ?1, COALESCE(MAX(n), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM agent_audit
         WHERE agent_id = ?1`,
        this.#agentId,
        now,
        kind,
        this.#plain(who),
        this.#plain(from),
        this.#plain(detail),
        Math.max(1, Math.floor(times)),
      );
    }
    this.#prune();
  }

  read({ before, limit }: { before?: number; limit: number }): AdminAudit {
    const asked = Math.min(Math.max(1, limit), MAX_PAGE);
    const rows = this.#sql
      .exec<{
        n: number;
        at: number;
        kind: AuditKind;
        who: string;
        address: string;
        detail: string;
        times: number;
      }>(
        `SELECT n, at, kind, who, address, detail, times FROM agent_audit
         WHERE agent_id = ? AND n < ? ORDER BY n DESC LIMIT ?`,
        this.#agentId,
        before ?? Number.MAX_SAFE_INTEGER,
        asked + 1,
      )
      .toArray();
    const entries = rows
      .slice(0, asked)
      .map(({ n, at, kind, who, address, detail, times }): AuditEntry => ({
        n,
        at,
        kind,
        who,
        from: address,
        detail,
        times,
      }));
    return { entries, more: rows.length > asked };
  }

  #plain(text: string): string {
    return this.#clean(text).replace(HIDDEN, " ").slice(0, MAX_TEXT);
  }

  #prune(): void {
    const [range] = this.#sql
      .exec<{ first: number | null; last: number | null }>(
        "SELECT MIN(n) AS first, MAX(n) AS last FROM agent_audit WHERE agent_id = ?",
        this.#agentId,
      )
      .toArray();
    const last = range?.last ?? 0;
    if (last - (range?.first ?? 0) < MAX_ENTRIES + SLACK) return;
    this.#sql.exec(
      "DELETE FROM agent_audit WHERE agent_id = ? AND n <= ?",
      this.#agentId,
      last - MAX_ENTRIES,
    );
  }
}
