/** What a session says and asks of its backups at its beginning and at its end. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Restored } from "./backups/restore.ts";
import type { StateBackups } from "./backups/state-backups.ts";
import type { Log } from "./log.ts";

const FINAL_TRIES = 3;
const FINAL_PAUSE_MS = 1_000;

/** What stood in the way, when it is not kept. */
export async function backUpLast(backups: StateBackups | undefined): Promise<string | undefined> {
  let problem: string | undefined;
  for (let tries = 0; tries < FINAL_TRIES; tries += 1) {
    if (backups?.status().state !== "watching") {
      return problem ?? `backups are ${backups?.status().state ?? "off"}`;
    }
    const made = await backups.commit("final");
    if (made.ok) return undefined;
    problem = `${made.reason}: ${made.message}`;
    await sleep(FINAL_PAUSE_MS);
  }
  return problem;
}

export function noteRestored(
  restored: Exclude<Restored, { outcome: "failed" }>,
  log: Pick<Log, "info" | "error">,
): void {
  if (restored.outcome === "empty") return log.info("no backup yet: the agent starts empty");
  for (const { generation, problem } of restored.passedOver) {
    log.error(`generation ${generation} is damaged and was passed over: ${problem}`);
  }
  for (const { path, problem } of restored.broken) {
    log.error(`${path} is restored as it was kept, and is broken: ${problem}`);
  }
  const { list, bytes, ms } = restored;
  log.info(
    `restored generation ${list.generation}: ${list.files.length} files, ${bytes} bytes, ` +
      `${Math.round(ms)} ms`,
  );
}
