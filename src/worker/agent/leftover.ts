/** A sandbox that outlived its stop, because the platform did not end it when it was asked. */
import type { AgentLife } from "./agent-life.ts";
import { isLive } from "./lifecycle.ts";
import type { Sandbox } from "./sandbox.ts";
import type { RecordStore } from "./store/records.ts";

export class Leftover {
  readonly #life: Pick<AgentLife, "phase">;
  readonly #sandbox: Sandbox;
  readonly #records: RecordStore;

  constructor(life: Pick<AgentLife, "phase">, sandbox: Sandbox, records: RecordStore) {
    this.#life = life;
    this.#sandbox = sandbox;
    this.#records = records;
  }

  get runs(): boolean {
    return !isLive(this.#life.phase) && this.#sandbox.running;
  }

  /** Asks the platform once more; whoever calls does so until it is gone. */
  async end(): Promise<void> {
    if (!this.runs) return;
    const destroyed = await this.#sandbox.destroy();
    if (!destroyed.ok) return;
    this.#records.note("phase", "The sandbox that had outlived its stop is gone.", Date.now());
  }
}
