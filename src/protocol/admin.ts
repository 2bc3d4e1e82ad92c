/**
 * The admin API as the page and the Worker both know it: one entry a call, with the schema of what
 * it takes and of what it answers. Errors are `{error: {code, message}}` with a code from
 * `admin-errors.ts`.
 *
 * `GET /api/events?logs=gateway` is the page's one stream: an event `status` carries an `AdminStatus`
 * on every change, `changed` names the revisions that differ since (`["devices"]`), `logs` carries
 * lines of the source that was asked for.
 */
import * as z from "zod";
import { auditReply } from "./admin-audit.ts";
import { devicesReply, renameBody } from "./admin-devices.ts";
import { securityReply } from "./admin-security.ts";
import { settingsReply, sleepBody } from "./admin-settings.ts";
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

const refusedHost = z.object({ host: z.string(), times: z.number(), lastAt: moment });
export type RefusedHost = z.infer<typeof refusedHost>;
export const refusedHostsReply = z.object({ hosts: z.array(refusedHost) });

export const doneReply = z.object({
  ok: z.literal(true),
  pending: z.boolean().optional(),
  /** Why the state of a sandbox that was ended is lost, where no waiting could have mended that. */
  unkept: z.string().optional(),
});

export const changedEvent = z.array(z.string());

export const logsReply = z.object({ lines: z.array(logLine) });

const nothing = z.strictObject({});

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

export const errorReply = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
