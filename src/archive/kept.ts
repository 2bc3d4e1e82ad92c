/**
 * What of the state folder is kept. Pure. Whatever is not named here is kept: forgetting a name costs
 * space, not somebody's work.
 */
import { STATE_FOLDER } from "../protocol/backup.ts";

/** The gateway makes these again: caches, runtime files, its logs, links to bundled skills. */
const REGENERATED = new Set(["cache", "tmp", "logs", "plugin-skills"]);
/** Plugins that somebody installed: no start of the gateway installs them again. */
const PACKAGES = "npm";
/** Where the gateway alone writes. Elsewhere a lock file belongs to somebody's project. */
const GATEWAYS = new Set(
  "state agents credentials devices identity cron memory sessions".split(" "),
);
/** Of one running process, worthless to the next. */
const RUNTIME = /(\.lock|\.lock\.sqlite|generation-writer\.sqlite|\.pid|\.sock)$/;
/** SQLite's own, part of a consistent copy of the database beside them. */
const BESIDE_DATABASE = /^(.*)-(wal|shm|journal)$/;

/** Whether a folder may hold something that is kept. */
export function isKeptFolder(path: string): boolean {
  const [root, top = ""] = path.split("/");
  return root === STATE_FOLDER && !REGENERATED.has(top);
}

/** The same of anything but a folder. */
export function isKept(path: string): boolean {
  return isKeptFolder(path) && !isOfProcess(path);
}

/** Whether a folder of another install may hold something that comes in. */
export function isTakenFolder(path: string): boolean {
  const [, top = ""] = path.split("/");
  return isKeptFolder(path) && top !== PACKAGES;
}

/**
 * What does not come in from another install: what the gateway makes again, and packages, which may be of
 * another machine's kind and are named instead. Not for folders.
 */
export function isLeftOutside(path: string): boolean {
  const [, top = ""] = path.split("/");
  return REGENERATED.has(top) || top === PACKAGES || isOfProcess(path);
}

/** Where a file has a name that SQLite gives to its own: the name of the database. */
export function besideWhich(name: string): string | undefined {
  return BESIDE_DATABASE.exec(name)?.[1];
}

/** False when a change of this path cannot mean that kept content changed. */
export function mayMatter(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const [, database, kind] = BESIDE_DATABASE.exec(name) ?? [];
  if (kind === "shm") return false;
  const owner = database === undefined ? path : path.slice(0, path.length - `-${kind}`.length);
  return isKept(owner);
}

/** Whether the gateway alone writes there; `inside` is below the state folder. */
export function isOfGateway(inside: string): boolean {
  const [top = ""] = inside.split("/");
  return GATEWAYS.has(top);
}

/** Whether the gateway itself lives from what is in it: its own databases, and not those of the agent's work. */
export function isGatewayDatabase(path: string): boolean {
  const [root, top, next, folder, ...rest] = path.split("/");
  if (root !== STATE_FOLDER || next === undefined) return false;
  return top === "state" || (top === "agents" && folder === "agent" && rest.length > 0);
}

/** The folders without which a state is none that the gateway could live from. */
export function isVital(path: string): boolean {
  return [STATE_FOLDER, `${STATE_FOLDER}/state`, `${STATE_FOLDER}/agents`].includes(path);
}

function isOfProcess(path: string): boolean {
  const [, top = "", ...rest] = path.split("/");
  if (rest.length > 0 && !GATEWAYS.has(top)) return false;
  return RUNTIME.test((rest.at(-1) ?? top).replace(BESIDE_DATABASE, "$1"));
}
