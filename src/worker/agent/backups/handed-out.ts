/** Whether the recovery kit of a key was handed out: once for each key. */
import * as z from "zod";
import type { RecordStore } from "../store/records.ts";

const SETTING = "backups.recovery-kit";
const kit = z.object({ at: z.number(), recipient: z.string() });

/** @param recipient of the key, as age writes it; undefined when backups are not encrypted */
export function kitTakenAt(
  records: RecordStore,
  recipient: string | undefined,
): number | undefined {
  const text = records.setting(SETTING);
  const taken = text === undefined ? undefined : kit.parse(JSON.parse(text));
  return taken?.recipient === (recipient ?? "") ? taken.at : undefined;
}

export function noteKitTaken(records: RecordStore, recipient: string | undefined): void {
  records.setSetting(SETTING, JSON.stringify({ at: Date.now(), recipient: recipient ?? "" }));
}
