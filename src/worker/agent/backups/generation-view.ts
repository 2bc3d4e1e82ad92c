/** A generation as an admin is shown it. */
import type { GenerationView } from "../../../protocol/admin-backups.ts";
import type { GenerationEntry } from "../../backups/manifest.ts";

export function viewOf(entry: GenerationEntry): GenerationView {
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
