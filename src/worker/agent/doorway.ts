/**
 * What a request to the agent meets: a gateway that is ready, or the one start that is under way.
 * Fails closed: nothing reaches a sandbox before the gateway in it says that it is ready.
 */
import { DeadlineError, within } from "../deadline.ts";
import type { AgentLife } from "./agent-life.ts";
import type { Budget } from "./budget.ts";
import type { PortFetch } from "./control.ts";
import { isNavigation, proxy } from "./proxy.ts";
import { refusal } from "./refusals.ts";
import type { Sandbox } from "./sandbox.ts";
import type { StartResult } from "./start.ts";
import { waitingPage, type WaitState } from "./waiting-page.ts";

export interface DoorwayParts {
  life: AgentLife;
  sandbox: Sandbox;
  front: PortFetch;
  budget: Budget;
  /** The one shared start. */
  wake(): Promise<StartResult>;
  waitState(): WaitState;
  /** Keeps the Durable Object up for what nobody waits for. */
  waitUntil(work: Promise<unknown>): void;
}

export class Doorway {
  readonly #parts: DoorwayParts;

  constructor(parts: DoorwayParts) {
    this.#parts = parts;
  }

  async answer(request: Request): Promise<Response> {
    const held = await this.#hold(request);
    if (held !== undefined) return held;
    const first = await proxy(request, this.#parts.front);
    if (first.ok) return first.response;
    return this.#unreachable(request, first.reason);
  }

  /** Undefined once the gateway is ready, otherwise what the client gets instead. */
  async #hold(request: Request): Promise<Response | undefined> {
    const { budget, wake, waitState, waitUntil } = this.#parts;
    const { life } = this.#parts.life;
    if (life.phase === "ready") return undefined;
    const watched = isNavigation(request);
    const language = request.headers.get("accept-language");
    if (life.phase === "failed" && (life.retryAt ?? 0) > Date.now()) {
      return watched ? waitingPage(waitState(), language) : this.#failed(life.lastError);
    }
    const started = wake();
    if (watched) {
      waitUntil(started);
      return waitingPage(waitState(), language);
    }
    try {
      const result = await within("The start", budget.requestWait, started);
      return result.ok ? undefined : this.#failed(result.reason);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      return refusal(504, "start_takes_long", error.message, 5);
    }
  }

  #failed(message = "The start failed."): Response {
    const retryIn = (this.#parts.life.life.retryAt ?? 0) - Date.now();
    return refusal(503, "start_failed", message, Math.max(1_000, retryIn) / 1_000);
  }

  /** A ready sandbox did not take the request: when it is gone, one that can be repeated is. */
  async #unreachable(request: Request, reason: string): Promise<Response> {
    const { life, sandbox, front } = this.#parts;
    await sandbox.lastWords();
    life.reconcile();
    const repeatable = request.method === "GET" || request.method === "HEAD";
    if (life.phase !== "ready" && repeatable) {
      const held = await this.#hold(request);
      if (held !== undefined) return held;
      const second = await proxy(request, front);
      if (second.ok) return second.response;
    }
    return refusal(502, "sandbox_unreachable", reason, 2);
  }
}
