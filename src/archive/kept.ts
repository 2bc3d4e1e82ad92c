/**
 * What of the state folder is kept. Pure. Whatever is not named here is kept: forgetting a name costs
 * space, not somebody's work.
 */
import { STATE_FOLDER } from "../protocol/backup.ts";

/** The gateway makes these again: caches, runtime files, its logs, links to bundled skills. */
const REGENERATED = new Set(["cache", "tmp", "logs", "plugin-skills"]);
/** What the agent itself wrote: every name in it is kept, lock files of its projects too. */
const WORKSPACE = "workspace";
/** Of one running process, worthless to the next. */
const RUNTIME = /(\.lock|\.lock\.sqlite|generation-writer\.sqlite|\.pid|\.sock)$/;
/** SQLite's own, part of a consistent copy of the database beside them. */
const BESIDE_DATABASE = /^(.*)-(wal|shm|journal)$/;

/** `siblings` are the names in the same folder. */
export function isKept(path: string, siblings: { has(name: string): boolean }): boolean {
  const [root, top, ...rest] = path.split("/");
  if (root !== STATE_FOLDER) return false;
  if (top === undefined) return true;
  if (REGENERATED.has(top)) return false;
  const name = rest.at(-1) ?? top;
  const database = BESIDE_DATABASE.exec(name)?.[1];
  if (database !== undefined && siblings.has(database)) return false;
  if (top === WORKSPACE || top.startsWith(`${WORKSPACE}-`)) return true;
  return !RUNTIME.test(name) && !RUNTIME.test(name.replace(BESIDE_DATABASE, "$1"));
}

/** What the gateway makes again by itself, in the state folder of whatever install. */
export function isRegenerated(path: string): boolean {
  const [, top = "", ...rest] = path.split("/");
  if (REGENERATED.has(top)) return true;
  return top !== WORKSPACE && RUNTIME.test((rest.at(-1) ?? top).replace(BESIDE_DATABASE, "$1"));
}

/** False when a change of this path cannot mean that kept content changed. */
export function mayMatter(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const [, database, kind] = BESIDE_DATABASE.exec(name) ?? [];
  if (kind === "shm") return false;
  const owner = database === undefined ? path : path.slice(0, path.length - `-${kind}`.length);
  return isKept(owner, new Set());
}
