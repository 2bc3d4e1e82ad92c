/**
 * The backup before the end of a sandbox. Tells what a later try may still keep from what none will: only for
 * the first is it worth to stay.
 */
import type { BackupReply } from "../../../protocol/control.ts";
import type { Reply } from "../control.ts";

export type LastBackup =
  | { ok: true }
  | {
      ok: false;
      reason: string;
      /** Whether a later try may keep the state; `unknown` where nobody answered who would know. */
      waiting: "helps" | "is-in-vain" | "unknown";
    };

/**
 * Reasons that no later try will find different: a sandbox that may not commit any more or began without a bucket, a
 * state that is broken, and one that makes no sense to the Worker.
 */
const IN_VAIN: ReadonlySet<string> = new Set([
  ...["closed", "stale", "parent", "unauthorised", "no-bucket"],
  ...["broken", "invalid"],
]);

export function lastBackup(reply: Reply<BackupReply>): LastBackup {
  if (!reply.ok) return { ...reply, waiting: "unknown" };
  if (reply.value.ok) return { ok: true };
  const { reason, message } = reply.value;
  return { ok: false, reason: message, waiting: IN_VAIN.has(reason) ? "is-in-vain" : "helps" };
}
