/**
 * What of somebody's archive comes in. The archive is untrusted. Fails closed: an entry that no
 * ordinary archive of a state folder holds refuses all of it, by name, before anything is written.
 * Pure: entries in, decisions out.
 */
import { MAX_FILES, STATE_FOLDER } from "../protocol/backup.ts";
import type { SkipReason } from "../protocol/import.ts";
import { isLeftOutside, isOfGateway, isTakenFolder } from "./kept.ts";
import { secretKind, type SecretKind } from "./secrets.ts";
import type { TarEntry } from "./tar-reader.ts";

export class RefusedArchiveError extends Error {
  override readonly name = "RefusedArchiveError";
  readonly code = "refused-archive";
}

export interface IntakeLimits {
  entries: number;
  /** Bytes of all content, with what comes before it in the archive. */
  bytes: number;
  /** Characters of all names, which are held while the archive is read. */
  names: number;
  /** Unpacked bytes for each packed one, beyond the first `RATIO_FROM` of them. */
  ratio: number;
}

export const INTAKE_LIMITS: IntakeLimits = {
  entries: MAX_FILES,
  bytes: 4 * 1024 ** 3,
  names: 32 * 1024 ** 2,
  ratio: 200,
};

const RATIO_FROM = 64 * 1024 ** 2;
/** Bytes of a path, and of one name in it: more than that no disk takes. */
const MAX_PATH = 1024;
const MAX_NAME = 255;
const MAX_DEPTH = 60;
const SET_ID = 0o6000;
const CONFIG = /^(openclaw|moltbot|clawdbot)\.json($|\.)/;

export type Decision =
  | { do: "take"; path: string }
  | { do: "folder"; path: string }
  /** Made after everything else, so that nothing is written through one. */
  | { do: "link"; path: string; target: string }
  | { do: "skip"; path: string; why: SkipReason; secret?: SecretKind };

/** Looks at one entry after the other; throws at the first that refuses the archive. */
export class Intake {
  readonly #packedBytes: number;
  readonly #limits: IntakeLimits;
  readonly #seen = new Map<string, "file" | "folder">();
  #entries = 0;
  #bytes = 0;
  #names = 0;
  #owner: number | undefined;

  constructor(packedBytes: number, limits: IntakeLimits = INTAKE_LIMITS) {
    this.#packedBytes = packedBytes;
    this.#limits = limits;
  }

  /** Checks that do not depend on where the state lies; answers the path without what means nothing. */
  inspect(entry: TarEntry): string {
    const path = plainPath(entry.path);
    const refuse = (why: string) => new RefusedArchiveError(`${entry.path.slice(0, 300)} ${why}`);
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) throw refuse("is one entry too many");
    if (entry.type !== "file" && entry.type !== "folder" && entry.type !== "link") {
      throw refuse(`is a ${entry.type}`);
    }
    if (entry.type === "link" && leavesFolder(path, entry.target)) {
      throw refuse(`is a link that leads out: ${entry.target.slice(0, 300)}`);
    }
    if (entry.type === "file" && (entry.mode & SET_ID) !== 0) {
      throw refuse("would run with other rights than whoever starts it");
    }
    this.#bytes += entry.size + entry.extended;
    const packed = Math.max(RATIO_FROM, this.#packedBytes * this.#limits.ratio);
    if (this.#bytes > this.#limits.bytes || this.#bytes > packed) {
      throw refuse("unpacks to more than an archive of this size may");
    }
    return path;
  }

  /** What becomes of an entry that `inspect` let pass. */
  decide(entry: TarEntry, path: string, root: string): Decision {
    const inside = root === "" ? path : below(path, root);
    if (inside === undefined) return { do: "skip", path, why: "outside" };
    if (inside === "") return { do: "skip", path, why: "folder" };
    this.#owner ??= entry.uid;
    if (entry.uid !== this.#owner) {
      const owners = `${entry.uid}, everything before it to ${this.#owner}`;
      throw new RefusedArchiveError(`${entry.path} belongs to user ${owners}`);
    }
    const target = `${STATE_FOLDER}/${inside}`;
    this.#place(target, entry);
    if (entry.type === "folder") {
      const taken = isTakenFolder(target) && secretKind(inside) === undefined;
      return taken ? { do: "folder", path: target } : { do: "skip", path: target, why: "folder" };
    }
    if (entry.type === "link" && !isHarmlessLink(inside, entry.target)) {
      return { do: "skip", path: target, why: "link" };
    }
    if (CONFIG.test(inside)) return { do: "skip", path: target, why: "config" };
    if (isLeftOutside(target)) return { do: "skip", path: target, why: "regenerated" };
    const secret = secretKind(inside);
    if (secret !== undefined) return { do: "skip", path: target, why: "secret", secret };
    if (entry.type === "link") return { do: "link", path: target, target: entry.target };
    return { do: "take", path: target };
  }

  /** Nothing may lie below a file or be there twice. */
  #place(target: string, entry: TarEntry): void {
    const kind = entry.type === "folder" ? "folder" : "file";
    const before = this.#seen.get(target);
    if (before !== undefined && !(before === "folder" && kind === "folder")) {
      throw new RefusedArchiveError(`${entry.path} is there twice`);
    }
    this.#note(target, kind, entry);
    const parents = target.split("/").slice(0, -1);
    for (let i = parents.length; i > 1; i--) {
      const parent = parents.slice(0, i).join("/");
      const above = this.#seen.get(parent);
      if (above === "file") throw new RefusedArchiveError(`${entry.path} lies below a file`);
      if (above === "folder") break;
      this.#note(parent, "folder", entry);
    }
  }

  /** A folder that is only in the names of others counts like an entry. */
  #note(path: string, kind: "file" | "folder", { path: at }: TarEntry): void {
    if (!this.#seen.has(path)) this.#names += path.length;
    this.#seen.set(path, kind);
    if (this.#seen.size > this.#limits.entries || this.#names > this.#limits.names) {
      throw new RefusedArchiveError(`${at.slice(0, 300)} is one name too many`);
    }
  }
}

/** Throws at anything but a plain relative path. */
function plainPath(path: string): string {
  const refuse = (why: string) => new RefusedArchiveError(`${path.slice(0, 300)} ${why}`);
  if (path === "") throw new RefusedArchiveError("an entry has no name");
  if (byteLength(path) > MAX_PATH) throw refuse("has too long a name");
  if (path.startsWith("/")) throw refuse("is an absolute path");
  if (path.includes("\\") || hasControlCharacter(path)) {
    throw new RefusedArchiveError(
      `${JSON.stringify(path.slice(0, 300))} has a forbidden character`,
    );
  }
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) throw refuse("leads out of the archive");
  if (segments.length > MAX_DEPTH) throw refuse("lies too deep");
  if (segments.some((segment) => byteLength(segment) > MAX_NAME)) {
    throw refuse("has too long a name");
  }
  return segments.join("/");
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\u007f");
}

function leavesFolder(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0")) return true;
  const at = path.split("/").slice(0, -1);
  for (const segment of target.split("/")) {
    if (segment === "..") {
      if (at.pop() === undefined) return true;
    } else if (segment !== "" && segment !== ".") at.push(segment);
  }
  return false;
}

/**
 * Somebody's own link that stays inside the state, whatever the links on its way point to: it climbs only at its
 * beginning, from a folder that is one, and never above the state folder. Where the gateway alone writes none is taken.
 */
function isHarmlessLink(inside: string, target: string): boolean {
  const folders = inside.split("/").slice(0, -1);
  if (folders.length === 0 || isOfGateway(inside)) return false;
  if (byteLength(target) > MAX_PATH || hasControlCharacter(target)) return false;
  const segments = target.split("/").filter((segment) => segment !== "" && segment !== ".");
  const climbs = segments.lastIndexOf("..") + 1;
  return climbs <= folders.length && segments.slice(0, climbs).every((one) => one === "..");
}

function below(path: string, root: string): string | undefined {
  if (path === root) return "";
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
}
