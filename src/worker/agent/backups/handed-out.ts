/** Whether the recovery kit of a key was handed out: once for each key. */
import * as z from "zod";
import type { RecordStore } from "../store/records.ts";

const SETTING = "backups.recovery-kit";
const kit = z.object({ at: z.number(), recipient: z.string() });
/** One alone is what a record of a single key looks like. */
const kits = z.union([z.array(kit), kit.transform((one) => [one])]);

/** @param recipient of the key, as age writes it; undefined when backups are not encrypted */
export function kitTakenAt(
  records: RecordStore,
  recipient: string | undefined,
): number | undefined {
  return allTaken(records).find((one) => one.recipient === (recipient ?? ""))?.at;
}

export function noteKitTaken(records: RecordStore, recipient: string | undefined): void {
  const taken = [...allTaken(records), { at: Date.now(), recipient: recipient ?? "" }];
  records.setSetting(SETTING, JSON.stringify(taken));
}

function allTaken(records: RecordStore): z.infer<typeof kits> {
  const text = records.setting(SETTING);
  return text === undefined ? [] : kits.parse(JSON.parse(text));
}
