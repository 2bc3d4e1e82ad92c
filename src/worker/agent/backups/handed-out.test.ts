import { beforeEach, expect, it } from "vitest";
import { sqlite } from "../../../../test/support/sqlite.ts";
import { RecordStore } from "../store/records.ts";
import { migrate } from "../store/schema.ts";
import { kitTakenAt, noteKitTaken } from "./handed-out.ts";

let records: RecordStore;
beforeEach(() => {
  const sql = sqlite();
  migrate(sql);
  records = new RecordStore(sql, "main");
});

it("is known of each key, also of one that is set again after another", () => {
  for (const recipient of ["age1a", "age1b", undefined]) {
    expect(kitTakenAt(records, recipient)).toBeUndefined();
    noteKitTaken(records, recipient);
  }
  for (const recipient of ["age1a", "age1b", undefined]) {
    expect(kitTakenAt(records, recipient)).toBeTypeOf("number");
  }
});

it("is known from a record of a single key", () => {
  records.setSetting("backups.recovery-kit", JSON.stringify({ at: 7, recipient: "age1a" }));
  noteKitTaken(records, "age1b");
  expect(kitTakenAt(records, "age1a")).toBe(7);
});
