import type { SupervisorStatus } from "../../protocol/control.ts";
import type { Phase } from "../../protocol/phase.ts";
import { type Budget, pause } from "./budget.ts";
import type { ControlPort, Reply } from "./control.ts";
import type { Sandbox } from "./sandbox.ts";

/** Questions without an answer after which a sandbox that runs counts as failed. */
export const UNANSWERED_LIMIT = 3;

export interface FoundParts {
  sandbox: Sandbox;
  control: ControlPort;
  budget: Budget;
}

/**
 * The status of a sandbox that a restart of the Durable Object found. One that was booted is asked more
 * than once: what killed the Worker may hold it up for a moment, and with it goes everything that no
 * backup holds yet.
 */
export async function statusOfFound(
  { sandbox, control, budget }: FoundParts,
  phase: Phase,
): Promise<Reply<SupervisorStatus>> {
  const limit = phase === "ready" || phase === "booting" ? UNANSWERED_LIMIT : 1;
  for (let tries = 1; ; tries += 1) {
    const status = await control.status();
    if (status.ok || tries === limit || !sandbox.running) return status;
    await pause(budget.hello);
  }
}
