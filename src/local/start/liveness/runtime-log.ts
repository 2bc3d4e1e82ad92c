/** Miniflare's log, and the one thing that is only told there: that it gave up on workerd. */
import { Log, LogLevel } from "miniflare";

/** The code of Miniflare's error when workerd does not come up. */
const NOT_STARTED = "ERR_RUNTIME_FAILURE";

export interface RuntimeLogOptions {
  onLog(level: "warn" | "error", message: string): void;
  /**
   * Miniflare starts workerd again when it dies, but only once: when it dies during that start as
   * well, Miniflare logs so and leaves it down.
   */
  onGaveUp(): void;
}

export class RuntimeLog extends Log {
  readonly #options: RuntimeLogOptions;

  constructor(options: RuntimeLogOptions) {
    super(LogLevel.WARN);
    this.#options = options;
  }

  override error(error: Error): void {
    super.error(error);
    if ("code" in error && error.code === NOT_STARTED) this.#options.onGaveUp();
  }

  override logWithLevel(level: LogLevel, message: string): void {
    if (level <= LogLevel.WARN) {
      this.#options.onLog(level === LogLevel.WARN ? "warn" : "error", message);
    }
  }

  override logReady(): void {}
}
