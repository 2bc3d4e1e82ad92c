/**
 * States of former sandboxes that no generation could take. They stay on this disk under a name of
 * their own, the newest few of them, until a person takes them away. Runs before any program of the
 * agent, so nothing moves underneath.
 */
import { lstatSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { BackupStatus } from "../../protocol/backup.ts";
import { openFolder, removeTree } from "./tree-removal.ts";

const PREFIX = ".moltworker-unsaved-";
const MOST = 3;

export function isUnsaved(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Gives a state that was left behind its name among them, in the same home. */
export function keepUnsaved(home: string, folder: string, now: number): void {
  openFolder(folder);
  const time = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  renameSync(folder, join(home, PREFIX + time));
}

/** Those that are there, for the report of what is not kept. Older ones than the newest few are removed. */
export function reportUnsaved(home: string): BackupStatus["unkept"] {
  const found = readdirSync(home).filter(isUnsaved).sort();
  const folders = found.filter((name) => lstatSync(join(home, name)).isDirectory());
  const kept = folders.slice(-MOST);
  for (const name of found) if (!kept.includes(name)) removeTree(join(home, name));
  const why = "a former sandbox left this state, and no backup could take it";
  return kept.map((name) => ({ path: name, why }));
}
