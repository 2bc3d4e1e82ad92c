/** What the audit log of an agent holds, as the admin API tells of it. */
import * as z from "zod";

/** Milliseconds since the epoch. */
const moment = z.number();

export const AUDIT_KINDS = [
  "sign-in",
  "sign-in-refused",
  "cdp-refused",
  "browser-released",
  "admin-sign-in",
  "admin-refused",
  "device-approved",
  "device-rejected",
  "device-renamed",
  "device-removed",
  "device-unrecorded",
  "app-code-made",
  "app-codes-dropped",
  "app-code-refused",
  "app-let-in",
  "app-removed",
  "agent-start",
  "agent-stop",
  "stop-refused",
  "agent-restart",
  "sleep-changed",
  "backup-made",
  "backup-restored",
  "backup-verified",
  "backups-pruned",
  "started-afresh",
  "backup-exported",
  "recovery-kit",
  "import-applied",
  "import-dropped",
  "sender-approved",
  "sender-rejected",
  "sender-barred",
  "sender-readmitted",
  "message-retried",
  "message-dropped",
  "channel-tested",
  "spend-changed",
  "spend-raised",
  "routing-changed",
  "sessions-ended",
  "panic",
  "panic-over",
] as const;

export const auditEntry = z.object({
  /** Grows by one an entry. */
  n: z.number().int(),
  at: moment,
  kind: z.enum(AUDIT_KINDS),
  /** The admin, or empty when nobody was known. */
  who: z.string(),
  /** The client's address as the edge saw it; empty for what the system did itself. */
  from: z.string(),
  detail: z.string(),
  /** More than one for attempts that were summed before they were written. */
  times: z.number().int(),
});
export type AuditEntry = z.infer<typeof auditEntry>;
export type AuditKind = AuditEntry["kind"];

export const auditReply = z.object({
  /** Newest first. */
  entries: z.array(auditEntry),
  /** Older ones follow with `before=` the last entry's number. */
  more: z.boolean(),
});
export type AdminAudit = z.infer<typeof auditReply>;
