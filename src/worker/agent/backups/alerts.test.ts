import { beforeEach, expect, it } from "vitest";
import { sqlite } from "../../../../test/support/sqlite.ts";
import { RecordStore } from "../store/records.ts";
import { migrate } from "../store/schema.ts";
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

it("shows what is not kept before what is damaged, and that before what only takes room", () => {
  for (const kind of ["prune", "damage", "unkept"] as const) {
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
