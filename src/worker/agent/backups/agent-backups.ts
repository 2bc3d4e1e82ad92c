/**
 * Backups as part of one agent's life: who may commit, what a start restores, what an admin asks.
 * Without a bucket the agent runs, nothing is kept, and every answer says so.
 */
import type { GenerationView } from "../../../protocol/admin-backups.ts";
import type { BackupSettings } from "../../../protocol/backup.ts";
import type { SupervisorStatus } from "../../../protocol/control.ts";
import type { AgentStatus } from "../../agent-calls.ts";
import type { BackupsReply, ExportPlanReply } from "../../backups/admin-calls.ts";
import type { Done } from "../../done.ts";
import { Backups } from "../../backups/backups.ts";
import { DEFAULT_BOUNDS } from "../../backups/bounds.ts";
import type { BackupAnswer, BackupCall } from "../../backups/calls.ts";
import { backupKeys, type BackupKeys } from "../../backups/cipher.ts";
import type { Imports } from "../../backups/imports.ts";
import type { GenerationEntry } from "../../backups/manifest.ts";
import { NO_BUCKET, noBucket } from "../../backups/no-bucket.ts";
import { DEFAULT_RETENTION } from "../../backups/retention.ts";
import type { Env } from "../../env.ts";
import { configOf } from "../../config.ts";
import { pause } from "../budget.ts";
import type { ControlPort } from "../control.ts";
import { BackupAlerts } from "./alerts.ts";
import { Drills } from "./drills.ts";
import { kitTakenAt, noteKitTaken } from "./handed-out.ts";
import type { ClaimedBackups } from "../start.ts";
import type { RecordStore } from "../store/records.ts";

/** R2 takes about one write a second to one name. */
const WRITE_INTERVAL_MS = 1_000;
/** An agent whose content changed this long ago without a generation deserves an alert. */
const OVERDUE_MS = 5 * 60_000;
const PRUNE_EVERY_MS = 3_600_000;
const SETTING = "backups";

/** Reasons of a backup that no later try will find different. */
const HOPELESS: ReadonlySet<string> = new Set(["closed", "stale", "parent", "unauthorised"]);

export class AgentBackups {
  readonly #env: Env;
  readonly #records: RecordStore;
  readonly #alerts: BackupAlerts;
  readonly #control: ControlPort;
  readonly #backups: Backups | undefined;
  #keys: Promise<BackupKeys | undefined> | undefined;
  readonly #drills: Drills | undefined;

  constructor(
    env: Env,
    agentId: string,
    records: RecordStore,
    control: ControlPort,
    changed: () => void,
  ) {
    this.#env = env;
    this.#records = records;
    this.#alerts = new BackupAlerts(records);
    this.#control = control;
    const bucket = env.BACKUPS;
    this.#backups =
      bucket === undefined
        ? undefined
        : new Backups({
            agentId,
            bucket,
            notebook: {
              read: (name) => records.setting(`${SETTING}.${name}`),
              write: (name, value) => records.setSetting(`${SETTING}.${name}`, value),
            },
            keys: () => this.#backupKeys(),
            bounds: DEFAULT_BOUNDS,
            retention: this.#config().retention,
            now: Date.now,
            wait: pause,
            writeIntervalMs: WRITE_INTERVAL_MS,
            changed,
          });
    const raise = (text: string) => this.#alerts.raise("damage", text);
    this.#drills =
      this.#backups === undefined ? undefined : new Drills(this.#backups, control, raise);
  }

  /** Part of every start, before the sandbox gets its boot document. */
  async claim(startGeneration: number): Promise<ClaimedBackups> {
    if (this.#backups === undefined) return { ok: true, backups: undefined };
    const claimed = await this.#backups.claim(startGeneration);
    if (!claimed.ok) {
      return { ok: false, reason: `The backups cannot be read: ${claimed.message}` };
    }
    const recipient = (await this.#backupKeys())?.recipient;
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
    const answer = await this.#backups.answer(start, call);
    if (!answer.ok && (answer.reason === "corrupt" || answer.reason === "wrong-key")) {
      this.#alerts.raise("damage", answer.message);
    }
    if (call.call === "import-refused") {
      this.#alerts.raise("unkept", `An archive was not taken in: ${call.outcome.problem}`);
    }
    if (call.call === "outcome") {
      const { outcome } = call;
      if (outcome.outcome === "damaged") {
        this.#alerts.raise(
          "damage",
          `Generation ${outcome.generation} is damaged: ${outcome.problem}`,
        );
      } else if (answer.ok && outcome.generation === this.#backups.summary().lastGeneration) {
        this.#alerts.allIsWell("damage");
      }
    }
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

  /**
   * Before a stop that somebody asked for: why the state is not kept, when waiting could still mend
   * that. A sandbox that does not answer, or may not commit any more, gains nothing by staying.
   */
  async unkept(): Promise<string | undefined> {
    if (this.#backups === undefined) return undefined;
    const reply = await this.#control.backUp();
    if (!reply.ok || reply.value.ok) return undefined;
    const { reason, message } = reply.value;
    return HOPELESS.has(reason) ? undefined : message;
  }

  /** A sandbox is gone, and what it held last is not kept. */
  lost(reason: string): void {
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

  async list(): Promise<BackupsReply> {
    if (this.#backups === undefined) return { ok: false, reason: NO_BUCKET };
    const listed = await this.#backups.list();
    if (!listed.ok) return { ok: false, reason: listed.message };
    const { verifiedAt, failure } = this.#backups.summary();
    const keys = await this.#backupKeys();
    const recoveryKitAt = kitTakenAt(this.#records, keys?.recipient);
    return {
      ok: true,
      encrypted: keys !== undefined,
      generations: listed.value.map(viewOf),
      retention: this.#config().retention,
      ...(verifiedAt === undefined ? {} : { verifiedAt }),
      ...(failure === undefined ? {} : { failure }),
      ...(recoveryKitAt === undefined ? {} : { recoveryKitAt }),
    };
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

  async takeRecoveryKit(): Promise<Done> {
    if (this.#backups === undefined) return { ok: false, reason: NO_BUCKET };
    const recipient = (await this.#backupKeys())?.recipient;
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
    const said = supervisor?.backups;
    if (said !== undefined && said.state !== "watching" && said.state !== "restoring") {
      const why = said.lastError?.message ?? "no reason given";
      this.#alerts.raise("unkept", `Backups are ${said.state}: ${why}`);
    } else if (said?.dirtySince !== undefined && now - said.dirtySince > OVERDUE_MS) {
      const minutes = Math.round((now - said.dirtySince) / 60_000);
      this.#alerts.raise("unkept", `The state changed ${minutes} minutes ago and is not kept yet.`);
    } else if (said !== undefined) this.#alerts.allIsWell("unkept");
    const { prunedAt, lastGeneration } = backups.summary();
    if (lastGeneration > 0 && now - (prunedAt ?? 0) > PRUNE_EVERY_MS) {
      const pruned = await this.prune();
      const problem = pruned.ok ? "" : `Old generations could not be deleted: ${pruned.reason}`;
      if (problem !== "") this.#alerts.raise("unkept", problem);
    }
  }

  /** The drill of the day, when it is due; takes as long as a restore. */
  async drill(supervisor: SupervisorStatus | undefined, now: number): Promise<void> {
    if (supervisor?.backups?.state === "watching") await this.#drills?.daily(now);
  }

  #config() {
    const parsed = configOf(this.#env);
    return parsed.ok ? parsed.config.backups : { identities: [], retention: DEFAULT_RETENTION };
  }

  #backupKeys(): Promise<BackupKeys | undefined> {
    this.#keys ??= backupKeys(this.#config().identities);
    return this.#keys;
  }
}

function doneOf(answer: { ok: true } | { ok: false; message: string }): Done {
  return answer.ok ? { ok: true } : { ok: false, reason: answer.message };
}

function viewOf(entry: GenerationEntry): GenerationView {
  const { n, at, reason, files, bytes, changes, of, verifiedAt, damaged } = entry;
  return {
    generation: n,
    at,
    reason,
    files,
    bytes,
    stored: entry.packs.reduce((sum, pack) => sum + pack.size, 0),
    changes,
    encrypted: entry.recipient !== undefined,
    ...(of === undefined ? {} : { of }),
    ...(verifiedAt === undefined ? {} : { verifiedAt }),
    ...(damaged === undefined ? {} : { damaged }),
  };
}
