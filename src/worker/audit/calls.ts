/** What the Durable Object answers about the audit log and about shutting everything. Plain data. */
import type { AdminAudit, AuditEntry, AuditKind } from "../../protocol/admin-audit.ts";
import type { AdminSecurity } from "../../protocol/admin-security.ts";
import type { Done } from "../done.ts";

/** An entry of the audit log before it has its number and time. */
export type NewAuditEntry = Omit<AuditEntry, "n" | "at">;

/** The admin who asks, and from which address. */
export interface Asker {
  by: string;
  from: string;
}

export function entryOf(kind: AuditKind, { by, from }: Asker, detail = ""): NewAuditEntry {
  return { kind, who: by, from, detail, times: 1 };
}

/** A session as it began: what a person needs to know it again. */
export interface SessionNote {
  id: string;
  issuedAt: number;
  from: string;
  browser: string;
}

export interface AuditQuery {
  /** The number of an entry. */
  before?: number;
  limit: number;
}

export interface AuditCalls {
  record(entries: NewAuditEntry[]): Promise<void>;
  /** Newest first, those before a number. */
  read(query: AuditQuery): Promise<AdminAudit>;
}

/** What changes something is in the audit log before it happens: it may take longer than anybody waits. */
export interface SecurityCalls {
  overview(): Promise<AdminSecurity>;
  noteSession(session: SessionNote): Promise<void>;
  /** Every session that began before now is over; paired devices stay. */
  endSessions(asker: Asker): Promise<Done>;
  /** Stops at once, ends all sessions and starts nothing until `panicOver`. */
  panic(asker: Asker): Promise<Done>;
  panicOver(asker: Asker): Promise<Done>;
}
