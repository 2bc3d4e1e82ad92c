/**
 * Tells that something in the state folder may have changed: one watch a folder, set before the
 * folder is read, so that no change falls between. Whatever cannot be watched makes it say so, and
 * the supervisor looks more often instead.
 */
import { lstatSync, watch, type FSWatcher } from "node:fs";
import { join } from "node:path";
import { mayMatter } from "../../archive/kept.ts";

export class FolderWatch {
  private readonly home: string;
  private readonly onChange: () => void;
  private readonly watchers = new Map<string, FSWatcher>();
  private seen = new Set<string>();
  private complete = true;

  constructor(home: string, onChange: () => void) {
    this.home = home;
    this.onChange = onChange;
  }

  begin(): void {
    this.seen = new Set();
    this.complete = true;
  }

  /** Called by the walk when it stands before a folder. */
  enter(path: string): void {
    this.seen.add(path);
    if (this.watchers.has(path)) return;
    try {
      const { home } = this;
      const watcher = watch(join(home, path), (_event, name) => {
        if (name === null || tellsOfChange(home, `${path}/${name}`)) this.onChange();
      });
      watcher.on("error", () => this.drop(path));
      this.watchers.set(path, watcher);
    } catch {
      this.complete = false;
    }
  }

  /** Whether every folder that the walk saw is watched. */
  end(): boolean {
    for (const path of this.watchers.keys()) if (!this.seen.has(path)) this.close(path);
    return this.complete && this.seen.size > 0;
  }

  closeAll(): void {
    for (const path of this.watchers.keys()) this.close(path);
  }

  /** A folder that broke its watch did change. */
  private drop(path: string): void {
    this.close(path);
    this.onChange();
  }

  private close(path: string): void {
    this.watchers.get(path)?.close();
    this.watchers.delete(path);
  }
}

/**
 * False for what is not kept, and for a write-ahead log in which nothing is: that comes of somebody's
 * looking into the database, to copy it, say. What was in a log and was brought into the database changed that.
 */
export function tellsOfChange(home: string, path: string): boolean {
  if (!mayMatter(path)) return false;
  if (!path.endsWith("-wal")) return true;
  try {
    return lstatSync(join(home, path), { throwIfNoEntry: false })?.size !== 0;
  } catch {
    return true;
  }
}
