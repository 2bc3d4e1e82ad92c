/**
 * Removing a tree that nobody changes meanwhile, whatever modes the agent gave its folders: one that
 * it closed for itself must not stand in the way of the next start.
 */
import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    openFolders(path);
    rmSync(path, { recursive: true, force: true });
  }
}

/** A folder can be moved only when its owner may write in it. Does nothing to anything else. */
export function openFolder(path: string): void {
  try {
    if (lstatSync(path).isDirectory()) chmodSync(path, 0o700);
  } catch {
    // Gone, or somebody else's: whoever needs it open finds out.
  }
}

function openFolders(path: string): void {
  openFolder(path);
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) if (entry.isDirectory()) openFolders(join(path, entry.name));
}
