/** An archive on its way into the Worker's side, as the admin API sends it. */
import { IMPORT_PART_BYTES, type ImportView } from "../../src/protocol/import.ts";
import { survey, type Surveyed } from "../../src/archive/survey.ts";
import { archiveBytes, storePart } from "../../src/worker/backups/import-bytes.ts";
import type { WorkerSide } from "./backup-rig.ts";

export async function sendPart(
  worker: WorkerSide,
  id: string,
  n: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ImportView> {
  const part = bytes.slice(n * IMPORT_PART_BYTES, (n + 1) * IMPORT_PART_BYTES);
  const place = worker.backups.imports.part(id, n, part.byteLength);
  if (!place.ok) throw new Error(place.message);
  const { bucket, keys } = worker;
  const stored = await storePart(place.value.key, part, { bucket, keys });
  if (!stored.ok) throw new Error(stored.message);
  const view = worker.backups.imports.stored(id, n);
  if (!view.ok) throw new Error(view.message);
  return view.value;
}

/** Answers its id. */
export async function upload(
  worker: WorkerSide,
  bytes: Uint8Array<ArrayBuffer>,
  name = "moltbot-backup.tar.gz",
): Promise<string> {
  const begun = await worker.backups.imports.begin(name, bytes.byteLength);
  if (!begun.ok) throw new Error(begun.message);
  const { id, parts } = begun.value;
  for (let n = 0; n < parts; n++) await sendPart(worker, id, n, bytes);
  return id;
}

/** As the admin API makes it: from the parts in the bucket. */
export async function dryRun({ backups, bucket, keys }: WorkerSide, id: string): Promise<Surveyed> {
  const source = await backups.imports.source(id);
  if (!source.ok) throw new Error(source.message);
  return survey(archiveBytes(source.value, { bucket, keys }), source.value.bytes);
}

export async function importStates({ backups }: WorkerSide) {
  const found = await backups.imports.list();
  if (!found.ok) throw new Error(found.message);
  return found.value.map(({ id, state, problem }) => ({ id, state, problem }));
}
