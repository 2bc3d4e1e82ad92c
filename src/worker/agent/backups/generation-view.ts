/** The generations as an admin is shown them. */
import type { GenerationView } from "../../../protocol/admin-backups.ts";
import type { BackupsReply } from "../../backups/admin-calls.ts";
import type { GenerationEntry } from "../../backups/manifest.ts";
import { NO_BUCKET } from "../../backups/no-bucket.ts";
import type { RecordStore } from "../store/records.ts";
import { kitTakenAt } from "./handed-out.ts";
import type { OpenBackups } from "./open-backups.ts";

export async function listFor(
  { backups, retention, keys: keysOf }: OpenBackups,
  records: RecordStore,
): Promise<BackupsReply> {
  if (backups === undefined) return { ok: false, reason: NO_BUCKET };
  const listed = await backups.shown();
  if (!listed.ok) return { ok: false, reason: listed.message };
  const { verifiedAt, failure } = backups.summary();
  const keys = await keysOf();
  const recoveryKitAt = kitTakenAt(records, keys?.recipient);
  return {
    ok: true,
    encrypted: keys !== undefined,
    generations: listed.value.map(viewOf),
    retention,
    ...(verifiedAt === undefined ? {} : { verifiedAt }),
    ...(failure === undefined ? {} : { failure }),
    ...(recoveryKitAt === undefined ? {} : { recoveryKitAt }),
  };
}

function viewOf(entry: GenerationEntry): GenerationView {
  const { n, at, reason, files, bytes, changes, of, verifiedAt, damaged } = entry;
  return {
    generation: n,
    at,
    reason,
    files,
    bytes,
    stored: entry.packs.reduce((sum, pack) => sum + pack.size, 0),
    changes,
    encrypted: entry.recipient !== undefined,
    ...(of === undefined ? {} : { of }),
    ...(verifiedAt === undefined ? {} : { verifiedAt }),
    ...(damaged === undefined ? {} : { damaged }),
  };
}
