/**
 * Restores one generation into an empty folder. Fails closed: it ends as restored, as provably
 * empty, or as failed, and failed means that no gateway starts. Content that was read and is wrong
 * makes the Worker name an older intact generation; content that could not be read never does.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  STATE_FOLDER,
  type FileList,
  type PackId,
  type RestorePlan,
} from "../../protocol/backup.ts";
import { sizeOfState } from "./file-list.ts";
import type { HostClient } from "./host-client.ts";
import { PackReads, UnreadableError } from "./pack-reads.ts";
import { tryGeneration, type Reading, type RestoreParts } from "./restored-generation.ts";
import { removeTree } from "./tree-removal.ts";

export type Restored =
  | { outcome: "empty"; generation: number }
  | {
      outcome: "restored";
      /** The newest generation from now on; `list` describes its content. */
      generation: number;
      list: FileList;
      /** Generations that were found damaged on the way, newest first. */
      passedOver: PassedOver[];
      /** Databases of the agent's own that are broken, as they were kept. */
      broken: { path: string; problem: string }[];
      bytes: number;
      ms: number;
    }
  | { outcome: "failed"; reason: string; message: string; passedOver?: PassedOver[] };

export interface PassedOver {
  generation: number;
  problem: string;
  /** That is damaged, where it is one. */
  pack?: PackId;
}

export async function restoreInto(
  target: string,
  parts: RestoreParts,
  first?: RestorePlan,
): Promise<Restored> {
  const packs = new PackReads(parts.host, parts.wait);
  try {
    return await restoreWith(target, { ...parts, packs }, first);
  } finally {
    await packs.close();
  }
}

async function restoreWith(target: string, parts: Reading, first?: RestorePlan): Promise<Restored> {
  const started = performance.now();
  const passedOver: PassedOver[] = [];
  let touched = false;
  try {
    requireEmpty(target);
    let plan = first ?? (await planOf(parts.host));
    for (;;) {
      if (plan.outcome === "empty") {
        const done = await parts.host.outcome({ outcome: "restored", generation: plan.generation });
        if (!done.ok) return { outcome: "failed", reason: done.reason, message: done.message };
        return { outcome: "empty", generation: plan.generation };
      }
      touched = true;
      const attempt = await tryGeneration(target, plan, parts);
      if (attempt.ok) {
        const done = await parts.host.outcome({ outcome: "restored", generation: plan.generation });
        if (!done.ok) return { outcome: "failed", reason: done.reason, message: done.message };
        return {
          outcome: "restored",
          generation: done.value.generation ?? plan.generation,
          list: attempt.list,
          passedOver,
          broken: attempt.broken,
          bytes: sizeOfState(attempt.list),
          ms: performance.now() - started,
        };
      }
      const pack = attempt.pack === undefined ? {} : { pack: attempt.pack };
      passedOver.push({ generation: plan.generation, problem: attempt.problem, ...pack });
      if (!parts.scratch) empty(target);
      const next = await parts.host.outcome({
        outcome: "damaged",
        generation: plan.generation,
        problem: attempt.problem.slice(0, 1000),
        ...pack,
      });
      if (!next.ok) {
        return { outcome: "failed", reason: next.reason, message: next.message, passedOver };
      }
      if (next.value.next === undefined) {
        const said = passedOver.map((one) => `generation ${one.generation}: ${one.problem}`);
        const message = said.join("; ").slice(0, 2000);
        return { outcome: "failed", reason: "damaged", message, passedOver };
      }
      plan = next.value.next;
    }
  } catch (error) {
    if (touched && !parts.scratch) empty(target);
    const reason = error instanceof UnreadableError ? error.reason : "io";
    return {
      outcome: "failed",
      reason,
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

async function planOf(host: HostClient): Promise<RestorePlan> {
  const plan = await host.plan();
  if (!plan.ok) throw new UnreadableError(plan.reason, plan.message);
  return plan.value;
}

/** A restore never overwrites: whoever wants one provides a place without state. */
function requireEmpty(target: string): void {
  const state = join(target, STATE_FOLDER);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  if (!existsSync(state)) return;
  const found = readdirSync(state);
  if (found.length > 0) {
    throw new UnreadableError(
      "not-empty",
      `${state} already holds ${found.slice(0, 3).join(", ")}`,
    );
  }
}

function empty(target: string): void {
  removeTree(join(target, STATE_FOLDER));
}
