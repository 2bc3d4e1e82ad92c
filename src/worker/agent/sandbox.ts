import { INTERNAL_HOSTS } from "../../protocol/names.ts";
import { within } from "../deadline.ts";
import { type Budget, messageOf, pause } from "./budget.ts";
import type { PortFetch } from "./control.ts";

export interface SandboxExit {
  /** Undefined when the platform did not say. */
  exitCode?: number;
  text: string;
}

const LAST_WORDS_MS = 1_500;
/** A watch that has not ended by then does not keep the next start waiting. */
const LAST_WATCH_MS = 5_000;

/** The one place that touches the platform's container API. */
export class Sandbox {
  readonly #container: Container;
  readonly #outbound: (startGeneration: number) => Fetcher;
  readonly #budget: Budget;
  #watched: Promise<void> | undefined;
  /** What became of the latest sandbox; undefined while it runs or when nothing was seen. */
  exit: SandboxExit | undefined;

  constructor(
    container: Container,
    outbound: (startGeneration: number) => Fetcher,
    budget: Budget,
  ) {
    this.#container = container;
    this.#outbound = outbound;
    this.#budget = budget;
  }

  get running(): boolean {
    return this.#container.running;
  }

  /** Starts with no way out but the interceptors of this generation, which are there before it. */
  async start(startGeneration: number, signal: AbortSignal, onExit: () => void): Promise<void> {
    // The platform marks the container as not running when a watch ends, also a later container.
    if (this.#watched !== undefined) await Promise.race([this.#watched, pause(LAST_WATCH_MS)]);
    this.#watched = undefined;
    await this.intercept(startGeneration);
    if (signal.aborted) return;
    this.exit = undefined;
    this.#container.start({ enableInternet: false, env: {} });
    this.watch(onExit);
    await this.holdAwake();
  }

  /**
   * Names first: a host-name rule alone lists its name for DNS, a catch-all opens all of DNS, and
   * the most exact rule answers.
   */
  async intercept(startGeneration: number): Promise<void> {
    const binding = this.#outbound(startGeneration);
    const rules = Object.values(INTERNAL_HOSTS).map((host) =>
      this.#container.interceptOutboundHttp(host, binding),
    );
    await within("The registry of interceptors", this.#budget.control, Promise.all(rules));
    await within(
      "The registry of interceptors",
      this.#budget.control,
      Promise.all([
        this.#container.interceptAllOutboundHttp(binding),
        this.#container.interceptOutboundHttps("*", binding),
      ]),
    );
  }

  /** The platform forgets the timeout when the Durable Object restarts. */
  async holdAwake(): Promise<void> {
    const { control, inactivity } = this.#budget;
    const set = this.#container.setInactivityTimeout(inactivity);
    await within("The sandbox's timeout", control, set);
  }

  /** Calls back once the sandbox is gone; the platform does not wake the Durable Object for it. */
  watch(onExit: () => void): void {
    if (this.#watched !== undefined) return;
    const watched: Promise<void> = this.#container
      .monitor()
      .then(
        (): SandboxExit => ({ exitCode: 0, text: "The sandbox ended with exit code 0." }),
        (error: unknown): SandboxExit => exitOf(error),
      )
      .then((exit) => {
        const late = this.#watched !== watched;
        if (!late) this.#watched = undefined;
        // The platform may end a long watch of a sandbox that still runs.
        if (late || this.#container.running) return;
        this.exit = exit;
        onExit();
      });
    this.#watched = watched;
  }

  /** How it ended, if it did: the platform says so a moment after its ports are gone. */
  async lastWords(): Promise<string | undefined> {
    if (this.#watched !== undefined) await Promise.race([this.#watched, pause(LAST_WORDS_MS)]);
    return this.exit?.text;
  }

  async destroy(): Promise<{ ok: true } | { ok: false; reason: string }> {
    if (!this.#container.running) return { ok: true };
    try {
      await within("The end of the sandbox", this.#budget.destroy, this.#container.destroy());
      return { ok: true };
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    }
  }

  port(port: number): PortFetch {
    return (request) => this.#container.getTcpPort(port).fetch(request);
  }
}

function exitOf(error: unknown): SandboxExit {
  const text = messageOf(error);
  if (typeof error === "object" && error !== null && "exitCode" in error) {
    const { exitCode } = error;
    if (typeof exitCode === "number") {
      return {
        exitCode,
        text: `The sandbox ended with exit code ${exitCode}${signalOf(exitCode)}.`,
      };
    }
  }
  return { text: `The sandbox ended: ${text}` };
}

/** Above 128 an exit code is the number of a signal by convention. */
function signalOf(exitCode: number): string {
  const names: Record<number, string> = {
    6: "SIGABRT",
    9: "SIGKILL",
    11: "SIGSEGV",
    15: "SIGTERM",
  };
  const name = exitCode > 128 ? names[exitCode - 128] : undefined;
  return name === undefined ? "" : ` (${name})`;
}
