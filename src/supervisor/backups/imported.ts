/** An archive that waits becomes the newest generation, on top of the state that was restored. */
import { makeGeneration, type Base, type Made } from "./generation.ts";
import { scratchIn } from "./home.ts";
import { bringStateBack, dropStateBefore, refuse, takeIn } from "./intake.ts";
import { ReaderClient } from "./reader-client.ts";
import type { Restored } from "./restore.ts";
import type { StateBackupsParts } from "./state-backups-parts.ts";

/**
 * What the agent goes on from. The home gets its mark only afterwards: what an interrupted attempt
 * leaves counts as nothing.
 */
export async function takeInImport(
  parts: StateBackupsParts,
  base: Base,
): Promise<Base | Extract<Restored, { outcome: "failed" }>> {
  const { agentId, home, host, give, log, now, openReader, settings } = parts;
  const taken = await takeIn({
    ...{ home, host, give, log },
    purge: (folder, databases) => purge(parts, folder, databases),
  });
  if (taken.outcome === "failed") return taken;
  if (taken.outcome === "none") return base;
  const reader = new ReaderClient(await openReader(), () => undefined);
  let made: Made;
  try {
    const scratch = scratchIn(home);
    await reader.open({ home, scratch, known: base.list, watch: false });
    const { recipient } = settings;
    made = await makeGeneration(
      { agentId, host, reader, recipient, now, imported: taken.id },
      base,
      "import",
    );
  } finally {
    reader.close();
  }
  if (made.ok && made.made) {
    dropStateBefore(home);
    return { generation: made.list.generation, list: made.list };
  }
  if (!made.ok && made.reason !== "broken" && made.reason !== "hole") {
    return { outcome: "failed", reason: made.reason, message: made.message };
  }
  const refused = await refuse(
    { host, log },
    taken,
    made.ok ? "it holds what the agent has already" : made.message,
  );
  if (refused.outcome === "failed") return refused;
  bringStateBack(home);
  return base;
}

async function purge(
  { openReader, log }: StateBackupsParts,
  home: string,
  databases: string[],
): Promise<void> {
  if (databases.length === 0) return;
  const reader = new ReaderClient(await openReader(), () => undefined);
  try {
    for (const { path, problem } of await reader.purge(home, databases)) {
      log.warn(`${path} of the archive could not be opened: ${problem}`);
    }
  } finally {
    reader.close();
  }
}
