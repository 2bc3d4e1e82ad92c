/** Whether the recovery kit of a key was handed out: once for each key. */
import * as z from "zod";
import type { RecordStore } from "../store/records.ts";

/** The latest: a release before this one knows no other. */
const LATEST = "backups.recovery-kit";
const ALL = "backups.recovery-kits";
const kit = z.object({ at: z.number(), recipient: z.string() });

/** @param recipient of the key, as age writes it; undefined when backups are not encrypted */
export function kitTakenAt(
  records: RecordStore,
  recipient: string | undefined,
): number | undefined {
  return allTaken(records).find((one) => one.recipient === (recipient ?? ""))?.at;
}

export function noteKitTaken(records: RecordStore, recipient: string | undefined): void {
  const latest = { at: Date.now(), recipient: recipient ?? "" };
  records.setSetting(ALL, JSON.stringify([...allTaken(records), latest]));
  records.setSetting(LATEST, JSON.stringify(latest));
}

function allTaken(records: RecordStore): z.infer<typeof kit>[] {
  const [all, latest] = [records.setting(ALL), records.setting(LATEST)];
  const known = all === undefined ? [] : z.array(kit).parse(JSON.parse(all));
  return latest === undefined ? known : [...known, kit.parse(JSON.parse(latest))];
}
