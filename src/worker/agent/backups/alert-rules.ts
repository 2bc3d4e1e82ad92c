/**
 * When somebody has to look at the backups: which alert a call of the sandbox, or what its supervisor says of
 * itself, raises or ends.
 */
import type { SupervisorStatus } from "../../../protocol/control.ts";
import type { BackupAnswer, BackupCall } from "../../backups/calls.ts";
import type { BackupAlerts } from "./alerts.ts";

/** An agent whose content changed this long ago without a generation deserves an alert. */
const OVERDUE_MS = 5 * 60_000;

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
    alerts.raise("unkept", `An archive was not taken in: ${call.outcome.problem}`);
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
  if (said.state !== "watching" && said.state !== "restoring") {
    const why = said.lastError?.message ?? "no reason given";
    alerts.raise("unkept", `Backups are ${said.state}: ${why}`);
  } else if (said.dirtySince !== undefined && now - said.dirtySince > OVERDUE_MS) {
    const minutes = Math.round((now - said.dirtySince) / 60_000);
    alerts.raise("unkept", `The state changed ${minutes} minutes ago and is not kept yet.`);
  } else alerts.allIsWell("unkept");
}
