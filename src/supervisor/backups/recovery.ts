/** What a former sandbox left on the disk is kept before anything is restored over it, when it is newer. */
import { makeGeneration, type Made } from "./generation.ts";
import { holdsContent } from "./holds-content.ts";
import { followsFrom, mayBeNewer, scratchIn, type Asked, type LeftBehind } from "./home.ts";
import { ReaderClient } from "./reader-client.ts";
import type { Restored } from "./restore.ts";
import { readListOf } from "./restored-generation.ts";
import type { StateBackupsParts } from "./state-backups-parts.ts";

const TRIES = 4;
const FIRST_PAUSE_MS = 400;
/** No generation can take it, however often it is tried. */
const OF_THE_STATE: ReadonlySet<string> = new Set(["reader", "broken", "hole"]);

export type LeftBehindEnd =
  /** A generation holds all of it. */
  | { outcome: "done" }
  /** Something of it may be in no generation, and cannot be kept as one. */
  | { outcome: "unkept" }
  /** It may be kept at another try. */
  | Extract<Restored, { outcome: "failed" }>;

export async function keepLeftBehind(
  { agentId, give, host, log, now, openReader, settings, wait }: StateBackupsParts,
  left: LeftBehind,
): Promise<LeftBehindEnd> {
  const plan = await host.plan();
  if (!plan.ok) return { outcome: "failed", reason: plan.reason, message: plan.message };
  if (left.mark.agentId !== agentId || !followsFrom(left.mark, plan.value)) {
    const instead = "what a former sandbox left behind does not go on from the newest backup";
    if (mayBeNewer(left)) {
      log.error(`${instead}, and may be newer than the backup that it does go on from`);
      return { outcome: "unkept" };
    }
    log.info(`${instead}: an older one is the same`);
    return { outcome: "done" };
  }
  const parts = {
    ...{ agentId, host, wait, parallel: 1, scratch: true, room: 0 },
    ...{ give: () => undefined, check: noProblems },
  };
  const generation = plan.value.generation;
  // Of a damaged list nothing is reused: then all that was left behind is kept anew.
  const list =
    plan.value.outcome === "restore"
      ? await readListOf(plan.value, parts).catch(unlessDamaged)
      : undefined;
  // The folder itself; what is in it is the agent's already.
  give(left.folder);
  const { recipient } = settings;
  const attempt = async (): Promise<Made> => {
    const reader = new ReaderClient(await openReader(), () => undefined);
    try {
      const scratch = scratchIn(left.folder);
      await reader.open({ home: left.folder, scratch, known: list, watch: false });
      const base = { generation, list };
      const announce = async (asked: Asked) => {
        const problem = await reader.mark({ ...left.mark, asked: [...left.mark.asked, asked] });
        if (problem !== undefined) log.warn(`what was left behind could not be marked: ${problem}`);
      };
      const making = { agentId, host, reader, recipient, now, announce };
      return await makeGeneration(making, base, "recovery");
    } finally {
      reader.close();
    }
  };
  const made = await madeAtLast(attempt, wait);
  if (made.ok) {
    if (made.made) log.warn(`kept what was left behind as generation ${made.list.generation}`);
    const leftOut = made.unkept.find(({ path }) => holdsContent(left.folder, path));
    if (leftOut === undefined) return { outcome: "done" };
    log.error(`what was left behind is not kept as a whole: ${leftOut.path}: ${leftOut.why}`);
    return { outcome: "unkept" };
  }
  if (!OF_THE_STATE.has(made.reason)) {
    return { outcome: "failed", reason: made.reason, message: made.message };
  }
  log.error(`what was left behind cannot be kept: ${made.message}`);
  return { outcome: "unkept" };
}

/** A reader that broke off may have been killed, or out of memory: others try before it counts as the state's fault. */
async function madeAtLast(
  attempt: () => Promise<Made>,
  wait: (ms: number) => Promise<void>,
): Promise<Made> {
  for (let i = 1; ; i++) {
    const last = i === TRIES;
    try {
      const made = await attempt();
      if (made.ok || made.reason !== "reader" || last) return made;
    } catch (error) {
      if (last) throw error;
    }
    await wait(FIRST_PAUSE_MS * 2 ** (i - 1));
  }
}

function noProblems(): Promise<[]> {
  return Promise.resolve([]);
}

function unlessDamaged(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "damaged") return undefined;
  throw error;
}
