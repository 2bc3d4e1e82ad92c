/** What the newest generation holds, as the reader knows it, and what a look at the state found beside that. */
import { MAX_FILES } from "../../protocol/backup.ts";
import { coverOf } from "./file-list.ts";
import type { ReaderCommand } from "./messages.ts";
import { isSame, type Known, type Scan } from "./scan.ts";

/** What a look saw, until it is known whether that is kept. */
interface Pending {
  files: Map<string, Known>;
  shape: Map<string, string>;
  /** Nothing of the state is left out, and what changes from then on is seen. */
  complete: boolean;
}

export class KnownState {
  #files = new Map<string, Known>();
  #shape = new Map<string, string>();
  #pending: Pending | undefined;

  begin({ known, shape }: Pick<Extract<ReaderCommand, { do: "open" }>, "known" | "shape">): void {
    this.#files = new Map(known.map(({ path, ...content }) => [path, content]));
    this.#shape = new Map(shape);
  }

  get files(): ReadonlyMap<string, Known> {
    return this.#files;
  }

  /** A look that was begun and not settled counts for nothing. */
  forget(): void {
    this.#pending = undefined;
  }

  /** @returns whether it differs from what is known, and how many files are gone */
  saw(found: Scan, complete: boolean): { changed: boolean; removed: number } {
    const files = new Map(found.files.map((file) => [file.path, knownOf(file)]));
    // What cannot be read at the moment is not gone.
    const isCovered = coverOf(found.unkept);
    for (const [path, content] of this.#files) {
      if (files.size === MAX_FILES) break;
      if (!files.has(path) && isCovered(path)) files.set(path, content);
    }
    const shape = shapeOf(found);
    this.#pending = { files, shape, complete };
    return {
      changed: this.#differs(found, files, shape),
      removed: [...this.#files.keys()].filter((path) => !files.has(path)).length,
    };
  }

  /** @returns whether all of the state is as the newest generation holds it, as far as the look went */
  settle(kept: boolean): boolean {
    const pending = kept ? this.#pending : undefined;
    this.#pending = undefined;
    if (pending === undefined) return false;
    this.#files = pending.files;
    this.#shape = pending.shape;
    return pending.complete;
  }

  #differs(found: Scan, files: Map<string, Known>, shape: Map<string, string>): boolean {
    if (files.size !== this.#files.size || shape.size !== this.#shape.size) return true;
    for (const [path, what] of shape) if (this.#shape.get(path) !== what) return true;
    return found.files.some((file) => {
      const known = this.#files.get(file.path);
      const isOther = known?.mode !== file.mode || known.database !== file.database;
      return isOther || !isSame(file, known);
    });
  }
}

function knownOf({ mode, database, partSize, hashes }: Scan["files"][number]): Known {
  return { mode, database, partSize, hashes };
}

/** Paths of folders and links, with mode or target. */
export function shapeOf(state: {
  folders: readonly { path: string; mode: number }[];
  links: readonly { path: string; target: string }[];
}): Map<string, string> {
  return new Map([
    ...state.folders.map(({ path, mode }) => [path, `folder ${mode}`] as const),
    ...state.links.map(({ path, target }) => [path, `link ${target}`] as const),
  ]);
}
