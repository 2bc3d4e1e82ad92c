/** Which files changed, for people: as closed in the manifest as the files themselves are in their packs. */
import * as z from "zod";
import type { CommitRequest } from "../../protocol/backup.ts";
import type { BackupKeys } from "./cipher.ts";
import type { GenerationEntry } from "./manifest.ts";
import { openText, sealText } from "./sealed-text.ts";

const paths = z.array(z.string());

/** What an entry says of its changes. */
export async function changesOf(
  keys: BackupKeys | undefined,
  { changes, recipient }: Pick<CommitRequest, "changes" | "recipient">,
): Promise<Pick<GenerationEntry, "changes" | "sealedPaths">> {
  if (recipient === undefined || changes.paths.length === 0) return { changes };
  const sealedPaths = await sealText(keys, recipient, JSON.stringify(changes.paths));
  return {
    changes: { ...changes, paths: [] },
    ...(sealedPaths === undefined ? {} : { sealedPaths }),
  };
}

/** With the paths, where a key of that generation is there. */
export async function withPaths(
  keys: BackupKeys | undefined,
  entry: GenerationEntry,
): Promise<GenerationEntry> {
  const { changes, recipient, sealedPaths } = entry;
  if (recipient === undefined || sealedPaths === undefined) return entry;
  const text = await openText(keys, recipient, sealedPaths);
  if (text === undefined) return entry;
  return { ...entry, changes: { ...changes, paths: paths.parse(JSON.parse(text)) } };
}
