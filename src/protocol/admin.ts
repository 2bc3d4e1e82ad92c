/**
 * The admin API as the page and the Worker both know it: one entry a call, with the schema of what
 * it takes and of what it answers. Errors are `{error: {code, message}}` with a code from
 * `ADMIN_ERRORS`; a code keeps its meaning from release to release.
 *
 * `GET /api/events?logs=gateway` is the page's one stream: an event `status` carries an `AdminStatus`
 * on every change, `changed` names the revisions that differ since (`["devices"]`), `logs` carries
 * lines of the source that was asked for.
 */
import * as z from "zod";
import { browserOverview, releaseBody } from "./browser.ts";
import { logLine, supervisorStatus } from "./control.ts";
import { PHASES } from "./phase.ts";

/** Milliseconds since the epoch. */
const moment = z.number();

export const agentStatus = z.object({
  agentId: z.string(),
  /** Of what the page shows beside the status: a number changes when that did. */
  revisions: z.record(z.string(), z.number()),
  phase: z.enum(PHASES),
  since: moment,
  startGeneration: z.number(),
  timings: z.array(z.object({ phase: z.enum(PHASES), ms: z.number() })),
  lastError: z.string().optional(),
  retryAt: moment.optional(),
  supervisor: supervisorStatus.optional(),
  /** False when no bucket is bound: then nothing of the agent is kept. */
  kept: z.boolean(),
  /** Absent when nothing is kept. */
  backups: z
    .object({
      /** The newest generation, 0 for none. */
      lastGeneration: z.number(),
      lastAt: moment.optional(),
      /** When a restore was last seen to work. */
      verifiedAt: moment.optional(),
      prunedAt: moment.optional(),
      failure: z.object({ at: moment, message: z.string() }).optional(),
      /** What somebody should look at; gone when all is well again. */
      alert: z.object({ at: moment, text: z.string() }).optional(),
    })
    .optional(),
  sleepAfter: z.union([z.literal("never"), z.number()]),
  /** Messages of chat platforms on their way to the agent, and those that were given up. */
  channels: z.object({ waiting: z.number(), dead: z.number() }),
});
export type AdminStatus = z.infer<typeof agentStatus>;

const pendingDevice = z.object({
  deviceId: z.string(),
  name: z.string().optional(),
  platform: z.string().optional(),
  requestedAt: moment.optional(),
  address: z.string().optional(),
});
export type PendingDevice = z.infer<typeof pendingDevice>;

const pairedDevice = z.object({
  deviceId: z.string(),
  name: z.string().optional(),
  platform: z.string().optional(),
  approvedAt: moment.optional(),
  approvedBy: z.string().optional(),
  lastSeenAt: moment.optional(),
  recorded: z.boolean(),
});
export type PairedDevice = z.infer<typeof pairedDevice>;

export const devicesReply = z.object({
  pending: z.array(pendingDevice),
  paired: z.array(pairedDevice),
});

const setting = z.object({
  name: z.string(),
  description: z.string(),
  secret: z.boolean(),
  set: z.boolean(),
  /** What it is set to; never there for a secret. */
  value: z.string().optional(),
  /** What holds when it is not set. */
  default: z.string().optional(),
  /** Why it has no effect here. */
  unused: z.string().optional(),
});
export type AdminSetting = z.infer<typeof setting>;

export const settingsReply = z.object({
  version: z.string(),
  notes: z.array(z.string()),
  model: z.string(),
  /** What the settings say; the status has what counts. */
  sleepAfter: z.union([z.literal("never"), z.number()]),
  settings: z.array(setting),
});

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

const session = z.object({
  id: z.string(),
  issuedAt: moment,
  from: z.string(),
  browser: z.string(),
});
export const securityReply = z.object({
  sessions: z.array(session),
  /** Set while the panic button holds everything shut. */
  panic: z.object({ at: moment, by: z.string() }).optional(),
});
export type AdminSecurity = z.infer<typeof securityReply>;

const refusedHost = z.object({ host: z.string(), times: z.number(), lastAt: moment });
export type RefusedHost = z.infer<typeof refusedHost>;
export const refusedHostsReply = z.object({ hosts: z.array(refusedHost) });

export const doneReply = z.object({ ok: z.literal(true), pending: z.boolean().optional() });

export const changedEvent = z.array(z.string());

export const logsReply = z.object({ lines: z.array(logLine) });

const nothing = z.strictObject({});
export const renameBody = z.strictObject({ name: z.string().trim().min(1).max(80) });

/** Milliseconds; `null` follows the settings again. */
export const sleepBody = z.strictObject({
  sleepAfter: z.union([
    z.literal("never"),
    z
      .number()
      .int()
      .min(60_000)
      .max(7 * 86_400_000),
    z.null(),
  ]),
});

/** A call that answers `Reply`. */
export interface Endpoint<Reply> {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `:id` stands for a parameter. */
  path: string;
  body?: z.ZodType;
  reply: z.ZodType<Reply>;
  /** How long the page waits for an answer that takes longer than most. */
  deadlineMs?: number;
}

export const ADMIN_API = {
  status: { method: "GET", path: "/api/status", reply: agentStatus },
  start: { method: "POST", path: "/api/agent/start", body: nothing, reply: doneReply },
  stop: { method: "POST", path: "/api/agent/stop", body: nothing, reply: doneReply },
  restart: { method: "POST", path: "/api/agent/restart", body: nothing, reply: doneReply },
  devices: { method: "GET", path: "/api/devices", reply: devicesReply },
  approveDevice: {
    method: "POST",
    path: "/api/devices/:id/approve",
    body: nothing,
    reply: doneReply,
  },
  rejectDevice: {
    method: "POST",
    path: "/api/devices/:id/reject",
    body: nothing,
    reply: doneReply,
  },
  renameDevice: { method: "PATCH", path: "/api/devices/:id", body: renameBody, reply: doneReply },
  removeDevice: { method: "DELETE", path: "/api/devices/:id", reply: doneReply },
  refusedHosts: { method: "GET", path: "/api/egress/refused", reply: refusedHostsReply },
  logs: { method: "GET", path: "/api/logs", reply: logsReply },
  settings: { method: "GET", path: "/api/settings", reply: settingsReply },
  setSleep: { method: "PUT", path: "/api/settings/sleep", body: sleepBody, reply: doneReply },
  browser: { method: "GET", path: "/api/browser", reply: browserOverview },
  releaseBrowser: {
    method: "POST",
    path: "/api/browser/release",
    body: releaseBody,
    reply: doneReply,
  },
  audit: { method: "GET", path: "/api/audit", reply: auditReply },
  security: { method: "GET", path: "/api/security", reply: securityReply },
  endSessions: {
    method: "POST",
    path: "/api/security/end-sessions",
    body: nothing,
    reply: doneReply,
  },
  panic: { method: "POST", path: "/api/security/panic", body: nothing, reply: doneReply },
  panicOver: { method: "POST", path: "/api/security/panic-over", body: nothing, reply: doneReply },
} satisfies Record<string, Endpoint<unknown>>;

export const ADMIN_ERRORS = [
  "access_keys_unavailable",
  "access_login_required",
  "access_not_configured",
  "access_session_over",
  "access_token_invalid",
  "admin_required",
  "agent_unavailable",
  "agent_unreachable",
  "backups_unavailable",
  "body_too_large",
  "body_unreadable",
  "configuration",
  "cross_origin",
  "fallback_format",
  "invalid_app",
  "invalid_body",
  "invalid_device",
  "invalid_json",
  "invalid_query",
  "json_required",
  "malformed_path",
  "method_not_allowed",
  "no_texts",
  "not_an_admin",
  "not_found",
  "refused",
] as const;
export type AdminError = (typeof ADMIN_ERRORS)[number];

export const errorReply = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
