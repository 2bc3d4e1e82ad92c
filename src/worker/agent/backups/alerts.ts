/**
 * What somebody should look at: one alert stands until the state is kept again, one until the newest generation
 * can be opened, one until a restore has worked, one until no archive waits that was refused, one until every file
 * can be kept, one until old generations can be deleted.
 */
import * as z from "zod";
import type { RecordStore } from "../store/records.ts";

const SETTINGS = {
  unkept: "backups.alert",
  closed: "backups.alert.closed",
  damage: "backups.alert.damage",
  import: "backups.alert.import",
  "left-out": "backups.alert.left-out",
  prune: "backups.alert.prune",
} as const;
export type AlertKind = keyof typeof SETTINGS;

const MOST_SAID = 500;

const alert = z.object({ at: z.number(), text: z.string() });
export type BackupAlert = z.infer<typeof alert>;

export class BackupAlerts {
  readonly #records: RecordStore;
  readonly #since = new Map<AlertKind, number>();

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** An event, once for each new text, and in the status until all is well. */
  raise(kind: AlertKind, text: string): void {
    const said = text.slice(0, MOST_SAID);
    const before = this.#stored(kind)?.text;
    if (before !== undefined && unnumbered(before) === unnumbered(said)) return;
    const at = Date.now();
    this.#records.note("backup", text, at);
    this.#records.setSetting(SETTINGS[kind], JSON.stringify({ at, text: said }));
  }

  /** Raised once something has been said at every look for so long; ended by a look without. */
  lasting(kind: AlertKind, text: string | undefined, ms: number, now: number): void {
    if (text === undefined) {
      this.#since.delete(kind);
      return this.allIsWell(kind);
    }
    const since = this.#since.get(kind) ?? now;
    this.#since.set(kind, since);
    if (now - since >= ms) this.raise(kind, text);
  }

  allIsWell(kind: AlertKind): void {
    const name = SETTINGS[kind];
    if (this.#records.setting(name) !== undefined) this.#records.setSetting(name, undefined);
  }

  stands(kind: AlertKind): boolean {
    return this.#stored(kind) !== undefined;
  }

  /** The one that matters most. */
  get standing(): BackupAlert | undefined {
    const kinds = ["unkept", "closed", "damage", "import", "left-out", "prune"] as const;
    return kinds.map((kind) => this.#stored(kind)).find((one) => one !== undefined);
  }

  #stored(kind: AlertKind): BackupAlert | undefined {
    const text = this.#records.setting(SETTINGS[kind]);
    return text === undefined ? undefined : alert.safeParse(JSON.parse(text)).data;
  }
}

/** A text that counts something is no new one with each number. */
function unnumbered(text: string): string {
  return text.replaceAll(/\d+/g, "n");
}
