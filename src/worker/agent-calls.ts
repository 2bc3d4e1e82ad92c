import type { AgentEvent, SleepAfter } from "../protocol/agent.ts";
import type { LogLine, ProcessInfo, Report, SupervisorStatus } from "../protocol/control.ts";
import type { Phase, PhaseTiming } from "../protocol/phase.ts";
import type { SessionReply } from "../protocol/session.ts";
import type { SpendCalls } from "./ai/ledger/calls.ts";
import type { AppCalls } from "./apps/calls.ts";
import type { AuditCalls, SecurityCalls } from "./audit/calls.ts";
import type { AdminBackupCalls, AdminImportCalls } from "./backups/admin-calls.ts";
import type { BackupAnswer, BackupCall, BackupCaller } from "./backups/calls.ts";
import type { BrowserCalls } from "./browser/calls.ts";
import type { ChannelCalls } from "./channels/calls.ts";
import type { DeviceCalls } from "./devices/calls.ts";
import type { Done, Ended } from "./done.ts";
import type { EgressCalls } from "./egress/calls.ts";

/**
 * What the Durable Object answers to the other rooms of the Worker. All of it is plain data. A call
 * of one of its rooms is one round trip like the others: the room itself never travels.
 */
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
  stop(): Promise<Ended>;
  /** Stops all the same. */
  shutDown(): Promise<Done>;
  restart(): Promise<Ended>;
  /**
   * Does not start the sandbox; undefined answers that the one who asks is out by now.
   *
   * @param issuedAt of the session that asks
   * @param app whose credential it was instead
   */
  session(issuedAt?: number, app?: string): Promise<SessionReply | undefined>;
  /** A report of the supervisor; refused unless the control token is the present start's. */
  report(report: Report, controlToken: string): Promise<Done>;
  /** A call of the sandbox to the backup host; refused unless the token is the present start's. */
  backup(caller: BackupCaller, call: BackupCall): Promise<BackupAnswer>;
  logs(query: { source: LogLine["source"]; after?: number }): Promise<LogLine[]>;
  processes(): Promise<ProcessInfo[]>;
  /** Over the configuration's; undefined follows that again. Counts at once. */
  setSleepAfter(sleepAfter: SleepAfter | undefined): Promise<Done>;
  /** Called every few minutes from outside; starts nothing. */
  lookAfter(): Promise<void>;
  /** Model calls: ledger, caps, routing. */
  readonly spend: SpendCalls;
  /** Browser sessions: who has one, and for how long. */
  readonly browser: BrowserCalls;
  /** Apps and phones that were let in by a pairing code. */
  readonly apps: AppCalls;
  /** Chat platforms: the inbox, pairing, connections. */
  readonly channels: ChannelCalls;
  /** Devices that the gateway pairs and an admin approves. */
  readonly devices: DeviceCalls;
  /** The generations of the agent's state. */
  readonly backups: AdminBackupCalls;
  /** Archives from elsewhere. */
  readonly imports: AdminImportCalls;
  /** What happened, where the agent cannot write. */
  readonly audit: AuditCalls;
  /** Sessions, and the ways to shut everything. */
  readonly security: SecurityCalls;
  /** Hosts that the sandbox was refused. */
  readonly egress: EgressCalls;
}

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
