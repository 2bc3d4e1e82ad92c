/** A consistent copy of one database, and whether it would pass as a restored one. */
import {
  copyDatabase,
  isOfSqlite,
  isOuter,
  isShutIn,
  problemIn,
  problemWithWriting,
} from "./database.ts";
import { makePlaceFor, ScratchFolderError } from "./scratch-folder.ts";
import { messageOf } from "./tree.ts";

/** Larger databases that were sound are read whole no more often than this. */
const CHECK_EACH_BYTES = 8 * 1024 * 1024;
const CHECK_EVERY_MS = 60_000;

export type Copied =
  | { sound: true }
  /** `copied` is false when it cannot even be copied: it is no database, or in a closed folder. */
  | { sound: false; copied: boolean; problem: string };

export class CheckedCopies {
  private readonly soundAt = new Map<string, number>();

  /**
   * Throws when it cannot be copied at the moment: then nothing is known of its content.
   *
   * @param quiet no log of SQLite's lies beside it
   */
  async make(
    from: string,
    to: string,
    size: bigint,
    path: string,
    quiet: boolean,
  ): Promise<Copied> {
    makePlaceFor(to);
    try {
      await copyDatabase(from, to);
    } catch (error) {
      // The original is opened by SQLite alone.
      if (!isOfSqlite(error)) throw new ScratchFolderError(messageOf(error));
      // Without a log beside it the file is the whole database.
      const readable = isShutIn(error) ? quiet : !isOuter(error);
      if (!readable) throw error;
      return { sound: false, copied: false, problem: messageOf(error) };
    }
    const problem = this.integrity(to, size, path) ?? problemWithWriting(to, "ROLLBACK");
    return problem === undefined ? { sound: true } : { sound: false, copied: true, problem };
  }

  private integrity(copy: string, size: bigint, path: string): string | undefined {
    const last = this.soundAt.get(path);
    const small = size <= CHECK_EACH_BYTES;
    if (last !== undefined && !small && Date.now() - last < CHECK_EVERY_MS) return undefined;
    const problem = problemIn(copy);
    if (problem === undefined) this.soundAt.set(path, Date.now());
    else this.soundAt.delete(path);
    return problem;
  }
}
