/**
 * The reader's word in the agent's home: which generation it was last the same as, and whether it
 * still is. Written as the agent.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { markPath, settledPath, type Mark } from "./home.ts";

export class HomeMark {
  readonly #home: string;
  #mark: Mark;
  /** The home is known to be the same as that generation at this moment. */
  #settled = false;

  /** Throws when it cannot be written. */
  constructor(home: string, mark: Mark) {
    this.#home = home;
    this.#mark = mark;
    // Nobody has watched the home so far.
    rmSync(settledPath(home), { force: true });
    this.write(mark);
  }

  /** On the disk when it returns, so that a power cut leaves the old one or the new one. */
  write(mark: Mark): void {
    const path = markPath(this.#home);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(`${path}.new`, "w", 0o600);
    try {
      writeFileSync(file, JSON.stringify(mark));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.new`, path);
    syncFolder(dirname(path));
    this.#mark = mark;
  }

  /** Everything is in this generation. */
  kept(generation: number): void {
    this.write({ ...this.#mark, generation, asked: [] });
  }

  /**
   * A file of its own: the mark itself is never at stake for it, and a lost one counts as changed.
   * Its time says when that was last found.
   */
  settled(): void {
    try {
      writeFileSync(settledPath(this.#home), String(this.#mark.generation), { mode: 0o600 });
      this.#settled = true;
    } catch {
      // It counts as changed.
    }
  }

  changed(): void {
    if (!this.#settled) return;
    this.#settled = false;
    try {
      rmSync(settledPath(this.#home), { force: true });
    } catch {
      // Only the agent can have closed its folder.
    }
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
