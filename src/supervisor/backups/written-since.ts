/**
 * Whether something of a state that nobody changes any more was written after a moment. Watches tell
 * of nothing that happens just before the end, when their reader is gone, or through a mapping.
 */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isKeptFolder } from "../../archive/kept.ts";
import { STATE_FOLDER } from "../../protocol/backup.ts";
import { tellsOfChange } from "./folder-watch.ts";

/**
 * @param time milliseconds by the clock of the disk, which stands for some of them: what was written in the same
 *   moment counts, and so does what cannot be looked at.
 */
export function writtenSince(home: string, time: number): boolean {
  try {
    return isNewer(home, STATE_FOLDER, time);
  } catch {
    return true;
  }
}

/** A folder's own time says little: lock files come and go in it. What was renamed has a new one itself. */
function isNewer(home: string, path: string, time: number): boolean {
  const stat = lstatSync(join(home, path));
  if (!stat.isDirectory()) return stat.ctimeMs >= time && tellsOfChange(home, path);
  if (path !== STATE_FOLDER && !isKeptFolder(path)) return false;
  return readdirSync(join(home, path)).some((name) => isNewer(home, `${path}/${name}`, time));
}
