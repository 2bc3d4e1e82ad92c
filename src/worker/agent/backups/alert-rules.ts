/**
 * When somebody has to look at the backups: which alert a call of the sandbox, or what its supervisor says of
 * itself, raises or ends.
 */
import type { SupervisorStatus } from "../../../protocol/control.ts";
import type { BackupAnswer, BackupCall } from "../../backups/calls.ts";
import type { BackupAlerts } from "./alerts.ts";

/** An agent whose content changed this long ago without a generation deserves an alert. */
const OVERDUE_MS = 5 * 60_000;
/** A file that cannot be kept may be gone or in order a moment later. */
const LEFT_OUT_MS = 10 * 60_000;

/** @param newest the newest generation there is after the call */
export function alertsOfCall(
  alerts: BackupAlerts,
  call: BackupCall,
  answer: BackupAnswer,
  newest: () => number,
): void {
  if (!answer.ok && (answer.reason === "corrupt" || answer.reason === "wrong-key")) {
    alerts.raise("damage", answer.message);
  }
  if (call.call === "import-refused") {
    alerts.raise("import", `An archive was not taken in: ${call.outcome.problem}`);
  }
  if (call.call === "outcome") {
    const { outcome } = call;
    if (outcome.outcome === "damaged") {
      alerts.raise("damage", `Generation ${outcome.generation} is damaged: ${outcome.problem}`);
    } else if (answer.ok && outcome.generation === newest()) {
      alerts.allIsWell("damage");
    }
  }
}

/** @param said undefined when the supervisor says nothing of its backups */
export function alertsOfSupervisor(
  alerts: BackupAlerts,
  said: SupervisorStatus["backups"],
  now: number,
): void {
  if (said === undefined) return;
  const [first] = said.unkept;
  const leftOut = first === undefined ? undefined : leftOutText(first);
  alerts.lasting("left-out", leftOut, LEFT_OUT_MS, now);
  const why = said.lastError?.message;
  if (said.state !== "watching" && said.state !== "restoring") {
    return alerts.raise("unkept", `Backups are ${said.state}: ${why ?? "no reason given"}`);
  }
  if (said.dirtySince !== undefined && now - said.dirtySince > OVERDUE_MS) {
    const minutes = minutesOf(now - said.dirtySince);
    return alerts.raise("unkept", `The state changed ${minutes} minutes ago and is not kept yet.`);
  }
  // What changes is not known while no pass comes to its end, whatever the supervisor believes.
  if (said.sinceKeptMs !== undefined && said.sinceKeptMs > OVERDUE_MS) {
    const minutes = minutesOf(said.sinceKeptMs);
    const text = `No backup has come to its end for ${minutes} minutes`;
    return alerts.raise("unkept", why === undefined ? `${text}.` : `${text}: ${why}`);
  }
  if (said.failures === 0) alerts.allIsWell("unkept");
}

function leftOutText({ path, why }: { path: string; why: string }): string {
  return `Something of the agent's cannot be kept: ${path}: ${why}`;
}

function minutesOf(ms: number): number {
  return Math.round(ms / 60_000);
}
