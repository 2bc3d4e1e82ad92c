/** What the Durable Object answers about the audit log and about shutting everything. Plain data. */
import type { AdminAudit, AdminSecurity, AuditEntry } from "../../protocol/admin.ts";
import type { Done } from "../done.ts";

/** An entry of the audit log before it has its number and time. */
export type NewAuditEntry = Omit<AuditEntry, "n" | "at">;

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

export interface SecurityCalls {
  overview(): Promise<AdminSecurity>;
  noteSession(session: SessionNote): Promise<void>;
  /** Every session that began before now is over; paired devices stay. */
  endSessions(): Promise<Done>;
  /** Stops at once, ends all sessions and starts nothing until `panicOver`. */
  panic(by: string): Promise<Done>;
  panicOver(): Promise<Done>;
}
