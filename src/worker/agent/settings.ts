import type { SleepAfter } from "../../protocol/agent.ts";
import type { RecordStore } from "./store/records.ts";

/** Origins that are kept when the settings of the Worker name none. */
const MAX_ORIGINS = 8;
const SLEEP_AFTER = "sleepAfter";
const ORIGINS = "origins";

/** Choices kept in the Durable Object's storage, over those of the Worker's configuration. */
export class AgentSettings {
  readonly #records: RecordStore;
  #sleepAfter: SleepAfter | undefined;
  #origins: string[];

  constructor(records: RecordStore) {
    this.#records = records;
    this.#sleepAfter = parseSleepAfter(records.setting(SLEEP_AFTER));
    this.#origins = (records.setting(ORIGINS) ?? "").split(" ").filter((text) => text !== "");
  }

  get sleepAfter(): SleepAfter | undefined {
    return this.#sleepAfter;
  }

  set sleepAfter(value: SleepAfter | undefined) {
    this.#sleepAfter = value;
    this.#records.setSetting(SLEEP_AFTER, value === undefined ? undefined : String(value));
  }

  get origins(): readonly string[] {
    return this.#origins;
  }

  /** Remembers under which address people come, so that the gateway's configuration stays the same. */
  learnOrigin(origin: string): void {
    if (this.#origins.includes(origin) || this.#origins.length >= MAX_ORIGINS) return;
    this.#origins = [...this.#origins, origin];
    this.#records.setSetting(ORIGINS, this.#origins.join(" "));
  }
}

function parseSleepAfter(text: string | undefined): SleepAfter | undefined {
  if (text === undefined || text === "never") return text;
  const ms = Number(text);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : undefined;
}
