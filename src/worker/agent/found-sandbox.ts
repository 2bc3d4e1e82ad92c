/** A sandbox that a restart of the Durable Object found: it is asked before anything is done to it. */
import type { SupervisorStatus } from "../../protocol/control.ts";
import { type Budget, messageOf, pause } from "./budget.ts";
import type { ControlPort, Reply } from "./control.ts";
import { type LastStopParts, stopSandbox } from "./last-stop.ts";
import type { Sandbox } from "./sandbox.ts";

export interface FoundParts {
  sandbox: Pick<Sandbox, "intercept" | "holdAwake" | "running">;
  control: Pick<ControlPort, "hello" | "status" | "stop">;
  budget: Budget;
}

/**
 * Asks more than once: what killed the Worker may hold the sandbox up for a moment, and with it goes
 * everything that no backup holds yet.
 */
export async function statusOfFound(
  { sandbox, control, budget }: FoundParts,
  limit: number,
): Promise<Reply<SupervisorStatus>> {
  for (let tries = 1; ; tries += 1) {
    const status = await control.status();
    if (status.ok || tries >= limit || !sandbox.running) return status;
    await pause(budget.hello);
  }
}

/** A stop that was under way is asked for once more, with its last backup. @see stopSandbox */
export async function stopFound(
  parts: FoundParts & LastStopParts,
  startGeneration: number,
): Promise<string | undefined> {
  const { control, sandbox } = parts;
  if (!sandbox.running) return undefined;
  try {
    // The way to the backups is the Durable Object's own, and went with it.
    await sandbox.intercept(startGeneration);
    await sandbox.holdAwake();
    const hello = await control.hello();
    return await stopSandbox(parts, !hello.ok || hello.value.state === "booted");
  } catch (error) {
    return messageOf(error);
  }
}
