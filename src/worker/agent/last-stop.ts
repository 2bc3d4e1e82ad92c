/**
 * What comes before a sandbox is destroyed: its gateway ends, and what it left is kept. Fails towards
 * saying so: only an answer that tells of no failed backup counts as kept.
 */
import type { SupervisorStatus } from "../../protocol/control.ts";
import type { ControlPort } from "./control.ts";

export interface LastStopParts {
  control: Pick<ControlPort, "stop">;
  note(text: string): void;
  seen(status: SupervisorStatus): void;
}

const NOT_UNDERSTOOD = "The supervisor's answer to the stop is not understood.";

/**
 * Answers why the state is not kept; undefined when it is.
 *
 * @param booted whether the sandbox has a state at all
 */
export async function stopSandbox(
  { control, note, seen }: LastStopParts,
  booted: boolean,
): Promise<string | undefined> {
  const stopped = await control.stop();
  if (!stopped.ok) {
    note(`The gateway did not stop by itself: ${stopped.reason}`);
    return booted ? stopped.reason : undefined;
  }
  if (stopped.value === undefined) return booted ? NOT_UNDERSTOOD : undefined;
  seen(stopped.value);
  const { backups } = stopped.value;
  // Where the restore failed no gateway ran, and there was nothing new to keep.
  return backups?.state === "failed" ? undefined : backups?.lastError?.message;
}
