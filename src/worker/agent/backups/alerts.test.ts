import { beforeEach, expect, it } from "vitest";
import { sqlite } from "../../../../test/support/sqlite.ts";
import type { BackupStatus } from "../../../protocol/backup.ts";
import { RecordStore } from "../store/records.ts";
import { migrate } from "../store/schema.ts";
import { alertsOfCall, alertsOfSupervisor } from "./alert-rules.ts";
import { BackupAlerts } from "./alerts.ts";

let records: RecordStore;
let alerts: BackupAlerts;
beforeEach(() => {
  const sql = sqlite();
  migrate(sql);
  records = new RecordStore(sql, "main");
  alerts = new BackupAlerts(records);
});

it("stands until what it is about is well, whatever else is", () => {
  alerts.raise("prune", "Old generations could not be deleted: no answer");
  alerts.allIsWell("unkept");
  alerts.allIsWell("damage");
  expect(alerts.standing?.text).toMatch(/could not be deleted/);
  alerts.allIsWell("prune");
  expect(alerts.standing).toBeUndefined();
});

it("shows what is not kept before what cannot be restored, and that before what only takes room", () => {
  for (const kind of ["prune", "left-out", "import", "damage", "closed", "unkept"] as const) {
    alerts.raise(kind, kind);
    expect(alerts.standing?.text).toBe(kind);
  }
});

it("is an event once, however often and with whatever number it is raised, also after a restart", () => {
  alerts.raise("unkept", "changed 6 minutes ago");
  alerts.raise("unkept", "changed 11 minutes ago");
  expect(records.events(10)).toHaveLength(1);
  expect(new BackupAlerts(records).standing?.text).toBe("changed 6 minutes ago");
});

const MINUTE = 60_000;

/** What a supervisor says that a look of the schedule finds at `now`. */
function look(said: Partial<BackupStatus>, now = 0): string | undefined {
  const fine: BackupStatus = { state: "watching", generation: 4, failures: 0, unkept: [] };
  const status = { ...fine, ...said };
  alertsOfSupervisor(alerts, status, now);
  return alerts.standing?.text;
}

it("of an archive that was not taken in stands although the state is kept", () => {
  const outcome = { id: "a", problem: "no space left" };
  const call = { call: "import-refused", outcome } as const;
  alertsOfCall(alerts, call, { ok: true, value: {} }, () => 4);
  expect(look({})).toBe("An archive was not taken in: no space left");
});

it("is raised when no pass has come to its end for long, although nothing is known to have changed", () => {
  expect(look({ sinceKeptMs: 2 * MINUTE })).toBeUndefined();
  const hangs = "No backup has come to its end for 7 minutes.";
  expect(look({ sinceKeptMs: 7 * MINUTE })).toBe(hangs);
  expect(look({ sinceKeptMs: MINUTE, failures: 1 })).toBe(hangs);
  expect(look({ sinceKeptMs: MINUTE })).toBeUndefined();
  const lastError = { at: 1, message: "store: no answer" };
  expect(look({ sinceKeptMs: 6 * MINUTE, failures: 9, lastError })).toMatch(/: store: no answer$/);
});

it("is raised for a file that cannot be kept once that has lasted, and ends with it", () => {
  const unkept = [{ path: ".openclaw/workspace/pipe", why: "it is not a file" }];
  expect(look({ unkept }, 0)).toBeUndefined();
  expect(look({ unkept: [] }, 5 * MINUTE)).toBeUndefined();
  expect(look({ unkept }, 10 * MINUTE)).toBeUndefined();
  expect(look({ unkept }, 20 * MINUTE)).toBe(
    "Something of the agent's cannot be kept: .openclaw/workspace/pipe: it is not a file",
  );
  expect(look({}, 25 * MINUTE)).toBeUndefined();
});
