/**
 * The reader's word in the agent's home: which generation it was last the same as.
 * Written as the agent.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { markPath, type Mark } from "./home.ts";

export class HomeMark {
  readonly #home: string;
  #mark: Mark;

  /** Throws when it cannot be written. */
  constructor(home: string, mark: Mark) {
    this.#home = home;
    this.#mark = mark;
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
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
