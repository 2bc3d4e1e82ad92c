/**
 * Backups as part of one agent's life: who may commit, what a start restores, what an admin asks.
 * Without a bucket the agent runs, nothing is kept, and every answer says so.
 */
import type { BackupSettings } from "../../../protocol/backup.ts";
import type { SupervisorStatus } from "../../../protocol/control.ts";
import type { AgentStatus } from "../../agent-calls.ts";
import type { BackupsReply, ExportPlanReply } from "../../backups/admin-calls.ts";
import type { Done } from "../../done.ts";
import type { Backups } from "../../backups/backups.ts";
import type { BackupAnswer, BackupCall } from "../../backups/calls.ts";
import type { Imports } from "../../backups/imports.ts";
import { NO_BUCKET, noBucket } from "../../backups/no-bucket.ts";
import type { Env } from "../../env.ts";
import type { ControlPort } from "../control.ts";
import { alertsOfCall, alertsOfSupervisor } from "./alert-rules.ts";
import { BackupAlerts } from "./alerts.ts";
import { Drills } from "./drills.ts";
import { listFor } from "./generation-view.ts";
import { kitTakenAt, noteKitTaken } from "./handed-out.ts";
import { lastBackup, type LastBackup } from "./last-backup.ts";
import { openBackups, WRITE_INTERVAL_MS, type OpenBackups } from "./open-backups.ts";
import type { ClaimedBackups } from "../start.ts";
import type { RecordStore } from "../store/records.ts";

const PRUNE_EVERY_MS = 3_600_000;

export class AgentBackups {
  readonly #records: RecordStore;
  readonly #alerts: BackupAlerts;
  readonly #control: ControlPort;
  readonly #open: OpenBackups;
  readonly #backups: Backups | undefined;
  readonly #drills: Drills | undefined;

  constructor(
    env: Env,
    agentId: string,
    records: RecordStore,
    control: ControlPort,
    changed: () => void,
  ) {
    this.#records = records;
    this.#alerts = new BackupAlerts(records);
    this.#control = control;
    this.#open = openBackups(env, agentId, records, changed);
    this.#backups = this.#open.backups;
    this.#drills =
      this.#backups === undefined ? undefined : new Drills(this.#backups, control, this.#alerts);
  }

  /** Part of every start, before the sandbox gets its boot document. */
  async claim(startGeneration: number): Promise<ClaimedBackups> {
    if (this.#backups === undefined) return { ok: true, backups: undefined };
    const claimed = await this.#backups.claim(startGeneration);
    if (!claimed.ok) {
      return { ok: false, reason: `The backups cannot be read: ${claimed.message}` };
    }
    const recipient = (await this.#open.keys())?.recipient;
    const backups: BackupSettings = {
      intervalMs: WRITE_INTERVAL_MS,
      ...(recipient === undefined ? {} : { recipient }),
      ...(claimed.value.rewrite ? { rewrite: true } : {}),
    };
    return { ok: true, backups };
  }

  /** A call of the sandbox of `start`, whose token has been checked. */
  async answer(start: number, call: BackupCall): Promise<BackupAnswer> {
    if (this.#backups === undefined) return noBucket();
    const backups = this.#backups;
    const answer = await backups.answer(start, call);
    alertsOfCall(this.#alerts, call, answer, () => backups.summary().lastGeneration);
    return answer;
  }

  /** What every surface may say without asking the bucket. */
  health(): Pick<AgentStatus, "backups"> {
    if (this.#backups === undefined) return {};
    const raised = this.#alerts.standing;
    return {
      backups: {
        ...this.#backups.summary(),
        ...(raised === undefined ? {} : { alert: raised }),
      },
    };
  }

  /** Before an end of the sandbox that somebody asked for. */
  async keep(): Promise<LastBackup> {
    if (this.#backups === undefined) return { ok: false, reason: NO_BUCKET, waiting: "unknown" };
    return lastBackup(await this.#control.backUp());
  }

  /** A sandbox is gone, and what it held last is not kept. */
  lost(reason: string): void {
    if (this.#backups === undefined) return;
    this.#alerts.raise("unkept", `Stopped without a last backup: ${reason}`);
  }

  /** Before a planned sleep; what is not kept is a reason to stay awake and an alert. */
  async suspend(): Promise<Done> {
    const reply = await this.#control.suspend();
    if (reply.ok && reply.value.ok) {
      this.#alerts.allIsWell("unkept");
      return { ok: true };
    }
    const busy = reply.ok && !reply.value.ok && reply.value.reason === "busy";
    const reason = reply.ok && !reply.value.ok ? reply.value.message : "the sandbox did not answer";
    if (!busy) this.#alerts.raise("unkept", `It stays awake: the last backup failed: ${reason}`);
    return { ok: false, reason };
  }

  list(): Promise<BackupsReply> {
    return listFor(this.#open, this.#records);
  }

  async exportPlan(generation: number): Promise<ExportPlanReply> {
    const plan = await this.#backups?.planTo(generation);
    if (plan === undefined) return { ok: false, reason: NO_BUCKET };
    return plan.ok ? { ok: true, plan: plan.value } : { ok: false, reason: plan.message };
  }

  /** Undefined when no bucket is bound. */
  get imports(): Imports | undefined {
    return this.#backups?.imports;
  }

  /** Ends the alert of an archive that was refused, once none is: it was dropped, or is to be tried again. */
  async lookAtImports(): Promise<void> {
    const found = await this.imports?.list();
    if (found?.ok !== true || found.value.some(({ state }) => state === "refused")) return;
    this.#alerts.allIsWell("import");
  }

  async takeRecoveryKit(): Promise<Done> {
    if (this.#backups === undefined) return { ok: false, reason: NO_BUCKET };
    const recipient = (await this.#open.keys())?.recipient;
    if (kitTakenAt(this.#records, recipient) !== undefined) {
      return { ok: false, reason: "The recovery kit of this key was handed out already." };
    }
    noteKitTaken(this.#records, recipient);
    return { ok: true };
  }

  async backUpNow(): Promise<Done & { generation?: number }> {
    if (this.#backups === undefined) return { ok: false, reason: NO_BUCKET };
    const reply = await this.#control.backUp();
    if (!reply.ok) return reply;
    if (!reply.value.ok) return { ok: false, reason: reply.value.message };
    return { ok: true, generation: reply.value.generation };
  }

  /** Before anything is stopped for it. */
  async mayRestoreTo(generation: number): Promise<Done> {
    const may = await this.#backups?.mayRestoreTo(generation);
    return may === undefined ? { ok: false, reason: NO_BUCKET } : doneOf(may);
  }

  async mayStartAfresh(): Promise<Done> {
    const may = await this.#backups?.mayStartAfresh();
    return may === undefined ? { ok: false, reason: NO_BUCKET } : doneOf(may);
  }

  /** The caller has stopped the sandbox, whose state is a generation now. */
  async restoreTo(generation: number): Promise<Done> {
    const done = await this.#backups?.restoreTo(generation);
    return done === undefined ? { ok: false, reason: NO_BUCKET } : doneOf(done);
  }

  async startAfresh(): Promise<Done> {
    const done = await this.#backups?.startAfresh();
    return done === undefined ? { ok: false, reason: NO_BUCKET } : doneOf(done);
  }

  async prune(): Promise<Done> {
    const done = await this.#backups?.prune();
    return done === undefined ? { ok: false, reason: NO_BUCKET } : doneOf(done);
  }

  /** By a restore into a scratch folder of the running sandbox; without a number the newest. */
  async verify(which?: number | "all"): Promise<Done> {
    if (this.#drills === undefined) return { ok: false, reason: NO_BUCKET };
    return which === "all" ? this.#drills.all() : this.#drills.one(which);
  }

  /** The outer safety net, called every few minutes; starts no sandbox. */
  async lookAfter(supervisor: SupervisorStatus | undefined, now: number): Promise<void> {
    const backups = this.#backups;
    if (backups === undefined) return;
    alertsOfSupervisor(this.#alerts, supervisor?.backups, now);
    if (this.#alerts.stands("import")) await this.lookAtImports();
    const { prunedAt, lastGeneration } = backups.summary();
    if (lastGeneration > 0 && Math.abs(now - (prunedAt ?? 0)) > PRUNE_EVERY_MS) {
      const pruned = await backups.prune();
      if (pruned.ok) this.#alerts.allIsWell("prune");
      // A drill that is under way is only waited for, and so is a clock that jumped.
      else if (pruned.reason !== "closed") {
        this.#alerts.raise("prune", `Old generations could not be deleted: ${pruned.message}`);
      }
    }
  }

  /** The drill of the day, when it is due; takes as long as a restore. */
  async drill(supervisor: SupervisorStatus | undefined, now: number): Promise<void> {
    if (supervisor?.backups?.state === "watching") await this.#drills?.daily(now);
  }
}

function doneOf(answer: { ok: true } | { ok: false; message: string }): Done {
  return answer.ok ? { ok: true } : { ok: false, reason: answer.message };
}
