/**
 * Drills: a generation is restored into a scratch folder of the running sandbox, opened and checked,
 * so that a restore is known to work before it is needed. Starts no sandbox.
 */
import type { Backups } from "../../backups/backups.ts";
import type { Refused } from "../../backups/ledger.ts";
import type { ControlPort } from "../control.ts";
import type { BackupAlerts } from "./alerts.ts";

const EVERY_MS = 86_400_000;
/** One that failed is tried again after this. */
const AGAIN_MS = 3_600_000;
const MOST_NAMED = 10;

export type Drilled = { ok: true } | { ok: false; reason: string };

export class Drills {
  readonly #backups: Backups;
  readonly #control: Pick<ControlPort, "drill">;
  readonly #alerts: Pick<BackupAlerts, "raise" | "allIsWell">;
  #busy = false;
  #triedAt = 0;

  constructor(
    backups: Backups,
    control: Pick<ControlPort, "drill">,
    alerts: Pick<BackupAlerts, "raise" | "allIsWell">,
  ) {
    this.#backups = backups;
    this.#control = control;
    this.#alerts = alerts;
  }

  /** Without a number the newest. */
  one(generation?: number): Promise<Drilled> {
    return this.#alone(() => this.#drill(generation));
  }

  /** Every generation, newest first; goes on after one that cannot be restored. */
  all(): Promise<Drilled> {
    return this.#alone(async () => {
      const listed = await this.#backups.list();
      if (!listed.ok) return { ok: false, reason: listed.message };
      const wanted = listed.value.filter(({ reason }) => reason !== "afresh");
      const failed: string[] = [];
      for (const { n } of wanted) {
        const drilled = await this.#drill(n);
        // One that was deleted before its turn came is none that failed.
        if (!drilled.ok && (await this.#isListed(n))) failed.push(`${n}: ${drilled.reason}`);
      }
      if (failed.length === 0) return { ok: true };
      const said = failed.slice(0, MOST_NAMED).join("; ");
      return { ok: false, reason: `${failed.length} of ${wanted.length} failed: ${said}` };
    });
  }

  /**
   * Once a day, when the newest generation is not one that a restore has worked from. Whether it could be read at
   * all is looked at each time: a key may be replaced by one that does not open it.
   */
  async daily(now: number): Promise<void> {
    if (!(await this.#canBeOpened())) return;
    // In the future where a clock was ahead.
    if (Math.abs(now - this.#backups.newestVerifiedAt) <= EVERY_MS) return;
    const listed = await this.#backups.list();
    const head = listed.ok ? listed.value[0] : undefined;
    // Of one that is known to be damaged there is nothing new to find out.
    if (head === undefined || head.verifiedAt !== undefined || head.damaged !== undefined) return;
    if (head.reason === "afresh" || now - this.#triedAt < AGAIN_MS) return;
    this.#triedAt = now;
    await this.one();
  }

  async #isListed(n: number): Promise<boolean> {
    const listed = await this.#backups.list();
    return !listed.ok || listed.value.some((one) => one.n === n);
  }

  async #alone(work: () => Promise<Drilled>): Promise<Drilled> {
    if (this.#busy) return { ok: false, reason: "A drill is under way." };
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  async #canBeOpened(): Promise<boolean> {
    const plan = await this.#backups.planTo();
    if (!plan.ok && isLasting(plan)) {
      const text = `The newest backup cannot be restored: ${plan.message}`;
      this.#alerts.raise("closed", text);
      return false;
    }
    if (plan.ok || plan.reason === "missing") this.#alerts.allIsWell("closed");
    return plan.ok;
  }

  async #drill(generation?: number): Promise<Drilled> {
    try {
      const plan = await this.#backups.openDrill(generation);
      // An older one may have a key that was let go.
      const matters = generation === undefined;
      if (!plan.ok) return this.#failed(plan.message, matters && isLasting(plan));
      const reply = await this.#control.drill(plan.value);
      if (!reply.ok) return reply;
      return reply.value.ok ? { ok: true } : this.#failed(reply.value.message, true);
    } finally {
      this.#backups.closeDrill();
    }
  }

  #failed(reason: string, alert: boolean): Drilled {
    if (alert) this.#alerts.raise("damage", `The drill of a restore failed: ${reason}`);
    return { ok: false, reason };
  }
}

/** No other try finds it different before somebody does something. */
function isLasting({ reason }: Refused): boolean {
  return reason === "wrong-key" || reason === "corrupt";
}
