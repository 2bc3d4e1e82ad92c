/** A generation put into the agent's home, or for a drill into a scratch folder. */
import { existsSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STATE_FOLDER, type RestorePlan } from "../../protocol/backup.ts";
import { withoutMarking } from "../engine-flags.ts";
import { scratchIn } from "./home.ts";
import { ReaderClient } from "./reader-client.ts";
import { restoreInto, type Restored } from "./restore.ts";
import type { StateBackupsParts } from "./state-backups-parts.ts";

/** Seen under the same name by the agent's programs, which have a /tmp of their own. */
const DRILL_ROOT = existsSync("/var/tmp") ? "/var/tmp" : tmpdir();
/** In the folder of a drill, beside the state. */
const SCRATCH = "scratch";
const PARALLEL_READS = 3;

/** The newest generation. @param reader the one that then follows the home checks it, too */
export function restoreHome(
  parts: StateBackupsParts,
  reader: () => Promise<ReaderClient>,
): Promise<Restored> {
  const { agentId, home, host, give, wait } = parts;
  const restore = () =>
    restoreInto(home, {
      ...{ agentId, host, wait, parallel: PARALLEL_READS },
      scratch: false,
      room: Number.POSITIVE_INFINITY,
      give: (list) => {
        for (const { path } of [...list.folders, ...list.files]) give(join(home, path));
        give(home);
      },
      check: async (databases) =>
        databases.length === 0
          ? []
          : (await reader()).check(home, scratchIn(home), databases, false),
    });
  return withoutMarking(restore);
}

/**
 * Restores a generation into a scratch folder, checks it and leaves nothing behind. Until it is
 * complete the folder is closed to the agent; afterwards it is the agent's, whose own reader
 * empties it: nothing of more rights ever walks a tree that the agent could change meanwhile.
 */
export async function drillRestore(
  { agentId, host, give, openReader, room, wait }: StateBackupsParts,
  plan: RestorePlan,
): Promise<Restored> {
  const folder = mkdtempSync(join(DRILL_ROOT, "moltworker-drill-"));
  let given = false;
  try {
    return await restoreInto(
      folder,
      {
        ...{ agentId, host, wait, parallel: PARALLEL_READS },
        scratch: true,
        room: room(folder),
        give: (list) => {
          for (const { path } of [...list.folders, ...list.files]) give(join(folder, path));
          given = true;
          give(folder);
        },
        async check(databases) {
          const checker = new ReaderClient(await openReader(), () => undefined);
          try {
            return await checker.check(folder, join(folder, SCRATCH), databases, true);
          } finally {
            checker.close();
          }
        },
      },
      plan,
    );
  } finally {
    if (given) await removeGiven(folder, openReader);
    else rmSync(folder, { recursive: true, force: true });
  }
}

/** A reader that broke off in its check left everything: another one takes it away. */
async function removeGiven(
  folder: string,
  openReader: StateBackupsParts["openReader"],
): Promise<void> {
  try {
    if ([STATE_FOLDER, SCRATCH].some((name) => existsSync(join(folder, name)))) {
      const remover = new ReaderClient(await openReader(), () => undefined);
      await remover.check(folder, join(folder, SCRATCH), [], true).finally(() => remover.close());
    }
    rmdirSync(folder);
  } catch {
    // Something of the agent's is in there; it is the agent's now.
  }
}
