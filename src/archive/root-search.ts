/** Where in somebody's archive the state folder lies. Pure: paths in, one path out. */
import { RefusedArchiveError } from "./import-rules.ts";
import type { TarEntry } from "./tar-reader.ts";

/** Folders of the names that the gateway has had, the present one first. */
const STATE_NAMES = [".openclaw", ".moltbot", ".clawdbot"] as const;
type StateName = (typeof STATE_NAMES)[number];
/** What a state folder is known by, whatever it is called. A workspace alone is a common name. */
const STATE = /^(?:(?:openclaw|moltbot|clawdbot)\.json|agents\/.+|state\/.+)$/;
const WORKSPACE = /^workspace\/.+$/;

export class RootSearch {
  /** Folders with one of the names, and those of them that hold what a state holds. */
  readonly #named = new Shallowest();
  readonly #proven = new Shallowest();
  #flat: "state" | "workspace" | undefined;

  /** A folder tells nothing: it may be one on the way to the state. */
  see(path: string, type: TarEntry["type"]): void {
    const segments = path.split("/");
    const at = segments.findIndex((segment) => nameOf(segment) !== undefined);
    const inside = segments.slice(at + 1).join("/");
    const state = STATE.test(inside);
    const holds = type !== "folder" && (state || WORKSPACE.test(inside));
    if (at >= 0) {
      this.#named.note(segments.slice(0, at + 1));
      if (holds) this.#proven.note(segments.slice(0, at + 1));
    } else if (holds) {
      this.#flat = state ? "state" : (this.#flat ?? "workspace");
    }
  }

  /**
   * A path without a slash at its end; empty when the archive begins inside the folder. Then what has one
   * of the names is somebody's project in the workspace, or a tool's settings, unless it stands beside the rest, as in
   * an archive of a home folder.
   */
  root(): string {
    const proven = this.#proven.depth;
    if (this.#flat === "state" && proven !== 1) return "";
    if (this.#flat !== undefined && proven === undefined) return "";
    const found = (proven === undefined ? this.#named : this.#proven).pick();
    if (found !== undefined) return found;
    throw new RefusedArchiveError(`it holds no ${STATE_NAMES.join(", no ")}`);
  }
}

/** Of many folders those that lie the least deep; of each name the first two are enough to know. */
class Shallowest {
  readonly #found = new Map<StateName, string[]>();
  depth: number | undefined;

  note(segments: readonly string[]): void {
    const name = nameOf(segments.at(-1));
    const depth = segments.length;
    if (name === undefined || depth > (this.depth ?? depth)) return;
    if (depth !== this.depth) this.#found.clear();
    this.depth = depth;
    const folder = segments.join("/");
    const found = this.#found.get(name) ?? [];
    if (found.length < 2 && !found.includes(folder)) this.#found.set(name, [...found, folder]);
  }

  /** The present name goes before older ones, which an install may have left beside it. */
  pick(): string | undefined {
    for (const name of STATE_NAMES) {
      const [first, second] = this.#found.get(name) ?? [];
      if (second !== undefined) {
        throw new RefusedArchiveError(`it holds two states: ${first} and ${second}`);
      }
      if (first !== undefined) return first;
    }
    return undefined;
  }
}

function nameOf(segment: string | undefined): StateName | undefined {
  return STATE_NAMES.find((name) => name === segment);
}
