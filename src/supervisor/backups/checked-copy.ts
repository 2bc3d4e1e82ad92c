/** A consistent copy of one database, and whether it would pass as a restored one. */
import { isOfSqlite, isOuter, isShutIn, problemIn, problemWithWriting } from "./database.ts";
import { copyDatabase, UncopiedError } from "./database-copy.ts";
import { makePlaceFor, ScratchFolderError } from "./scratch-folder.ts";
import { messageOf } from "./tree.ts";

/** Larger databases that were sound are read whole no more often than this. */
const CHECK_EACH_BYTES = 8 * 1024 * 1024;
const CHECK_EVERY_MS = 60_000;

export type Copied =
  /** `checked` is false when it only was so at the last check: another look may find it broken. */
  | { sound: true; checked: boolean }
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
      if (error instanceof UncopiedError) throw error;
      // The original is opened by SQLite alone.
      if (!isOfSqlite(error)) throw new ScratchFolderError(messageOf(error));
      // Without a log beside it the file is the whole database.
      const readable = isShutIn(error) ? quiet : !isOuter(error);
      if (!readable) throw error;
      return { sound: false, copied: false, problem: messageOf(error) };
    }
    const checked = this.isDue(size, path);
    const problem =
      (checked ? this.integrity(to, path) : undefined) ?? problemWithWriting(to, "ROLLBACK");
    return problem === undefined
      ? { sound: true, checked }
      : { sound: false, copied: true, problem };
  }

  private isDue(size: bigint, path: string): boolean {
    const last = this.soundAt.get(path);
    if (last === undefined || size <= CHECK_EACH_BYTES) return true;
    const since = Date.now() - last;
    return since < 0 || since >= CHECK_EVERY_MS;
  }

  private integrity(copy: string, path: string): string | undefined {
    const problem = problemIn(copy);
    if (problem === undefined) this.soundAt.set(path, Date.now());
    else this.soundAt.delete(path);
    return problem;
  }
}
