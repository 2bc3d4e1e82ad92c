import type { AdminAudit, AdminSecurity, AuditEntry } from "../protocol/admin.ts";
import type { AgentEvent, SleepAfter } from "../protocol/agent.ts";
import type { AdminBackups } from "../protocol/admin-backups.ts";
import type { ImportView } from "../protocol/import.ts";
import type { ExportPlan } from "./backups/export.ts";
import type { ImportSource } from "./backups/imports.ts";
import type { Answer } from "./backups/ledger.ts";
import type { LogLine, ProcessInfo, Report, SupervisorStatus } from "../protocol/control.ts";
import type { Phase, PhaseTiming } from "../protocol/phase.ts";
import type { AppCalls } from "./apps/calls.ts";
import type { ChannelCalls } from "./channels/calls.ts";
import type { SpendCalls } from "./ai/ledger/calls.ts";
import type { BrowserCalls } from "./browser/calls.ts";
import type { SessionReply } from "../protocol/session.ts";
import type { BackupAnswer, BackupCall, BackupCaller } from "./backups/calls.ts";

/** What the Durable Object answers to the other rooms of the Worker. All of it is plain data. */
export interface AgentCalls {
  /**
   * Proxies an authenticated request to the sandbox. The caller has stripped every inbound
   * forwarding header and set `x-moltworker-client`, `-proto` and `-host`.
   */
  fetch(request: Request): Promise<Response>;
  /** Never starts anything. */
  status(): Promise<AgentStatus>;
  /** `origin`: under which address the person came; the gateway must know it before it starts. */
  start(origin?: string): Promise<Done>;
  /** Refused while the present state cannot be kept. */
  stop(): Promise<Done>;
  /** Stops all the same. */
  shutDown(): Promise<Done>;
  restart(): Promise<Done>;
  /**
   * Does not start the sandbox; undefined answers that the one who asks is out by now.
   *
   * @param issuedAt of the session that asks
   * @param app whose credential it was instead
   */
  session(issuedAt?: number, app?: string): Promise<SessionReply | undefined>;
  devices(): Promise<DevicesReply>;
  approveDevice(deviceId: string, by: string): Promise<Done>;
  rejectDevice(deviceId: string, by: string): Promise<Done>;
  renameDevice(deviceId: string, name: string): Promise<Done>;
  removeDevice(deviceId: string): Promise<Done>;
  /** A report of the supervisor; refused unless the control token is the present start's. */
  report(report: Report, controlToken: string): Promise<Done>;
  countRefused(host: string, times: number): Promise<void>;
  refusedHosts(): Promise<RefusedHost[]>;
  logs(query: { source: LogLine["source"]; after?: number }): Promise<LogLine[]>;
  processes(): Promise<ProcessInfo[]>;
  /** A call of the sandbox to the backup host; refused unless the token is the present start's. */
  backup(caller: BackupCaller, call: BackupCall): Promise<BackupAnswer>;
  backups(): Promise<BackupsReply>;
  backUpNow(): Promise<Done & { generation?: number }>;
  /** Stops the agent with a last backup, makes the generation's content the newest, starts again. */
  restoreBackup(generation: number): Promise<Done>;
  /** The same with nothing: the agent begins anew, and what was stays a generation. */
  startAfresh(): Promise<Done>;
  /** Without a number the newest. */
  verifyBackup(which?: number | "all"): Promise<Done>;
  pruneBackups(): Promise<Done>;
  /** What an export of one generation reads. */
  exportPlan(generation: number): Promise<ExportPlanReply>;
  /** Leave to hand the recovery kit out: once for each key. */
  takeRecoveryKit(): Promise<Done>;
  imports(): Promise<Answer<ImportView[]>>;
  beginImport(name: string, bytes: number): Promise<Answer<ImportView>>;
  /** Where the part belongs in the bucket. */
  importPart(id: string, n: number, size: number): Promise<Answer<{ key: string }>>;
  importPartStored(id: string, n: number): Promise<Answer<ImportView>>;
  importSource(id: string): Promise<Answer<ImportSource>>;
  /** Keeps the present state, stops the agent, and starts it with the archive's content. */
  applyImport(id: string): Promise<Done>;
  dropImport(id: string): Promise<Done>;
  /** Over the configuration's; undefined follows that again. Counts at once. */
  setSleepAfter(sleepAfter: SleepAfter | undefined): Promise<Done>;
  /** Called every few minutes from outside; starts nothing. */
  lookAfter(): Promise<void>;
  /** Writes to the audit log. */
  record(entries: NewAuditEntry[]): Promise<void>;
  /** Newest first, those before a number. */
  audit(query: { before?: number; limit: number }): Promise<AdminAudit>;
  noteSession(session: SessionNote): Promise<void>;
  security(): Promise<AdminSecurity>;
  /** Every session that began before now is over; paired devices stay. */
  endSessions(): Promise<Done>;
  /** Stops at once, ends all sessions and starts nothing until `panicOver`. */
  panic(by: string): Promise<Done>;
  panicOver(): Promise<Done>;
  /** Model calls: ledger, caps, routing. */
  readonly spend: SpendCalls;
  /** Browser sessions: who has one, and for how long. */
  readonly browser: BrowserCalls;
  /** Apps and phones that were let in by a pairing code. */
  readonly apps: AppCalls;
  /** Chat platforms: the inbox, pairing, connections. */
  readonly channels: ChannelCalls;
}

/** An entry of the audit log before it has its number and time. */
export type NewAuditEntry = Omit<AuditEntry, "n" | "at">;

/** A session as it began: what a person needs to know it again. */
export interface SessionNote {
  id: string;
  issuedAt: number;
  from: string;
  browser: string;
}

export type ExportPlanReply = { ok: true; plan: ExportPlan } | { ok: false; reason: string };

export type BackupsReply = AdminBackups | { ok: false; reason: string };

export type Done = { ok: true } | { ok: false; reason: string };

export interface AgentStatus {
  /** One a matter that the admin page shows; it changes when that did. */
  revisions: Record<string, number>;
  agentId: string;
  phase: Phase;
  /** Milliseconds since the epoch at which the phase began. */
  since: number;
  startGeneration: number;
  /** Phases of the latest start, in order. */
  timings: PhaseTiming[];
  /** The real last error of a failed start. */
  lastError?: string;
  /** When a failed start is tried again, in milliseconds since the epoch. */
  retryAt?: number;
  supervisor?: SupervisorStatus;
  /** False when no bucket is bound: then nothing is kept. */
  kept: boolean;
  /** Absent when no bucket is bound. */
  backups?: {
    /** The newest generation, 0 for none. */
    lastGeneration: number;
    /** When it was made, in milliseconds since the epoch. */
    lastAt?: number;
    /** When a restore last worked, in milliseconds since the epoch. */
    verifiedAt?: number;
    prunedAt?: number;
    failure?: { at: number; message: string };
    /** What somebody should look at; gone when all is well again. */
    alert?: { at: number; text: string };
  };
  sleepAfter: "never" | number;
  /** Messages of chat platforms on their way to the agent, and those that were given up. */
  channels: { waiting: number; dead: number };
  /** What happened lately, newest first: moves, exits with their code, devices. */
  events?: AgentEvent[];
}

export interface PendingDevice {
  deviceId: string;
  name?: string;
  platform?: string;
  requestedAt?: number;
  address?: string;
}

export interface PairedDevice {
  deviceId: string;
  name?: string;
  platform?: string;
  approvedAt?: number;
  approvedBy?: string;
  lastSeenAt?: number;
  /** False for a device the gateway knows without an approval on record; the front port refuses it. */
  recorded: boolean;
}

export type DevicesReply =
  | { ok: true; pending: PendingDevice[]; paired: PairedDevice[] }
  | { ok: false; reason: string };

export interface RefusedHost {
  host: string;
  times: number;
  /** Milliseconds since the epoch. */
  lastAt: number;
}
