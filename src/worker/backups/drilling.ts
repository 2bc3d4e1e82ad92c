/**
 * A drill reads generations that pruning may delete, so only one of the two is under way. Whoever opens a drill
 * closes it when the sandbox has answered or its time is up: none keeps old generations for ever.
 */
import type { RestorePlan } from "../../protocol/backup.ts";
import { refuse, type Answer } from "./ledger.ts";
import { forget, recall, remember } from "./memory.ts";
import { planTo } from "./plans.ts";
import { prune } from "./prune.ts";
import type { BackupsRoom } from "./room.ts";

export class Drilling {
  readonly #room: BackupsRoom;
  #pruning: Promise<unknown> | undefined;

  constructor(room: BackupsRoom) {
    this.#room = room;
  }

  async open(n?: number): Promise<Answer<RestorePlan>> {
    const { notebook } = this.#room;
    while (this.#pruning !== undefined) await this.#pruning;
    if (recall(notebook).open === "restore") {
      return refuse("closed", "a restore is under way");
    }
    // Before anything is planned, so that nothing of the plan is deleted meanwhile.
    remember(notebook, { open: "drill", drilledFrom: recall(notebook).lastGeneration });
    const plan = await planTo(this.#room, n);
    if (!plan.ok) this.close();
    return plan;
  }

  close(): void {
    const { notebook } = this.#room;
    if (recall(notebook).open === "drill") forget(notebook, "open");
  }

  /** Only generations that a manifest written here dropped. */
  async prune(): Promise<Answer<{ removed: number; packs: number }>> {
    const { ledger, notebook, now } = this.#room;
    while (this.#pruning !== undefined) await this.#pruning;
    if (recall(notebook).open === "drill") {
      return refuse("closed", "a drill is under way, and nothing is deleted meanwhile");
    }
    const running = prune(ledger, this.#room);
    const over = () => {
      this.#pruning = undefined;
    };
    this.#pruning = running.then(over, over);
    const done = await running;
    if (done.ok) remember(notebook, { prunedAt: now() });
    return done;
  }
}
