/** How the backups stand, as the supervisor reports it. */
import type { BackupStatus } from "../../protocol/backup.ts";
import type { Made } from "./generation.ts";

/** So many entries that are not kept are reported. */
const MOST_UNKEPT = 20;

export class Standing {
  state: BackupStatus["state"] = "restoring";
  /** Content is known to have changed since the last commit. */
  dirtySince: number | undefined;
  /** States of former sandboxes that lie beside this one's and are in no generation. */
  unsaved: BackupStatus["unkept"] = [];
  #failures = 0;
  #committedAt: number | undefined;
  #lastError: BackupStatus["lastError"];
  #unkept: BackupStatus["unkept"] = [];

  get failures(): number {
    return this.#failures;
  }

  status(generation: number): BackupStatus {
    const unkept = [...this.unsaved, ...this.#unkept].slice(0, MOST_UNKEPT);
    return {
      state: this.state,
      generation,
      failures: this.#failures,
      unkept: unkept.map(({ path, why }) => ({ path: path.slice(0, 300), why: why.slice(0, 200) })),
      ...(this.dirtySince === undefined ? {} : { dirtySince: this.dirtySince }),
      ...(this.#committedAt === undefined ? {} : { committedAt: this.#committedAt }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  unrestored(message: string, now: number): void {
    this.state = "failed";
    this.#lastError = { at: now, message: message.slice(0, 1000) };
  }

  succeeded(made: Extract<Made, { ok: true }>, now: number): void {
    this.#failures = 0;
    this.#lastError = undefined;
    this.#unkept = made.unkept;
    if (made.made) this.#committedAt = now;
  }

  /** @param since when what is not kept now began to be so */
  failed(made: Extract<Made, { ok: false }>, since: number | undefined, now: number): void {
    this.#failures += 1;
    this.dirtySince = since ?? this.dirtySince ?? now;
    this.#lastError = { at: now, message: `${made.reason}: ${made.message}`.slice(0, 1000) };
  }
}
