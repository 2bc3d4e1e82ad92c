/**
 * States of former sandboxes that no generation is known to hold. They stay on this disk under a name
 * of their own, the newest few of them, until a person takes them away. Runs before any program of the
 * agent, so nothing moves underneath.
 */
import { lstatSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { BackupStatus } from "../../protocol/backup.ts";
import { openFolder, removeTree } from "./tree-removal.ts";

const PREFIX = ".moltworker-unsaved-";
const TIME = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)-(\d{3}Z)$/;
/** The last time that such a name can say. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const MOST = 3;

export function isUnsaved(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Gives a state that was left behind its name among them, in the same home. */
export function keepUnsaved(home: string, folder: string, now: number): void {
  openFolder(folder);
  const time = new Date(timeAfter(readdirSync(home), now)).toISOString().replaceAll(/[:.]/g, "-");
  renameSync(folder, join(home, PREFIX + time));
}

/**
 * Those that are there, for the report of what is not kept. Older ones than the newest few are
 * removed: their names are in the order in which they were put aside.
 */
export function reportUnsaved(home: string): BackupStatus["unkept"] {
  const found = readdirSync(home)
    .filter(isUnsaved)
    .sort((a, b) => timeOf(a) - timeOf(b) || (a < b ? -1 : 1));
  const folders = found.filter((name) => lstatSync(join(home, name)).isDirectory());
  const kept = folders.slice(-MOST);
  for (const name of found) if (!kept.includes(name)) removeTree(join(home, name));
  const why = "a former sandbox left this state, and it may hold what no backup has";
  return kept.map((name) => ({ path: name, why }));
}

/** Later than all that are there, also when the clock was set back since. */
function timeAfter(names: readonly string[], now: number): number {
  const last = Math.max(0, ...names.filter(isUnsaved).map(timeOf));
  return last < LATEST ? Math.max(now, last + 1) : now;
}

/** 0 where the name is none that was given here. */
function timeOf(name: string): number {
  const time = name.slice(PREFIX.length);
  return TIME.test(time) ? Date.parse(time.replace(TIME, "$1:$2:$3.$4")) || 0 : 0;
}
