import type { SleepAfter } from "../../protocol/agent.ts";
import type { ParsedConfig } from "../config.ts";
import type { RecordStore } from "./store/records.ts";

/** Origins that are kept when the settings of the Worker name none. */
const MAX_ORIGINS = 8;
const SLEEP_AFTER = "sleepAfter";
const ORIGINS = "origins";

/** Choices kept in the Durable Object's storage, and the Worker's configuration under them. */
export class AgentSettings {
  readonly #records: RecordStore;
  readonly #configured: { sleepAfter: SleepAfter; origins: readonly string[] };
  #sleepAfter: SleepAfter | undefined;
  #learned: string[];

  constructor(records: RecordStore, parsed: ParsedConfig) {
    this.#records = records;
    this.#configured = parsed.ok
      ? { sleepAfter: parsed.config.sleepAfter, origins: parsed.config.workerOrigins }
      : { sleepAfter: "never", origins: [] };
    this.#sleepAfter = parseSleepAfter(records.setting(SLEEP_AFTER));
    this.#learned = (records.setting(ORIGINS) ?? "").split(" ").filter((text) => text !== "");
  }

  get sleepAfter(): SleepAfter {
    return this.#sleepAfter ?? this.#configured.sleepAfter;
  }

  /** Undefined follows the configuration again. */
  setSleepAfter(value: SleepAfter | undefined): void {
    this.#sleepAfter = value;
    this.#records.setSetting(SLEEP_AFTER, value === undefined ? undefined : String(value));
  }

  /** Under which people open the agent. */
  get origins(): readonly string[] {
    const { origins } = this.#configured;
    return origins.length > 0 ? origins : this.#learned;
  }

  /** Remembers under which address people come, so that the gateway's configuration stays the same. */
  learnOrigin(origin: string): void {
    if (this.#learned.includes(origin) || this.#learned.length >= MAX_ORIGINS) return;
    this.#learned = [...this.#learned, origin];
    this.#records.setSetting(ORIGINS, this.#learned.join(" "));
  }
}

function parseSleepAfter(text: string | undefined): SleepAfter | undefined {
  if (text === undefined || text === "never") return text;
  const ms = Number(text);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : undefined;
}
