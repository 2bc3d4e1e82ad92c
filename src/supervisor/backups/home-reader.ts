/** The reader that looks at the agent's home: one at a time, begun when it is needed. */
import type { FileList } from "../../protocol/backup.ts";
import { scratchIn, type Mark } from "./home.ts";
import { ReaderClient } from "./reader-client.ts";
import type { StateBackupsParts } from "./state-backups-parts.ts";

export class HomeReader {
  readonly #parts: Pick<StateBackupsParts, "home" | "openReader">;
  readonly #onDirty: () => void;
  #reader: ReaderClient | undefined;

  constructor(parts: Pick<StateBackupsParts, "home" | "openReader">, onDirty: () => void) {
    this.#parts = parts;
    this.#onDirty = onDirty;
  }

  /** One that knows nothing of the state yet, unless it is there already. */
  async start(): Promise<ReaderClient> {
    if (this.#reader?.alive) return this.#reader;
    this.#reader = new ReaderClient(await this.#parts.openReader(), this.#onDirty);
    return this.#reader;
  }

  /** @param known what it compares with, if it does not yet */
  async open(known: FileList | undefined, mark: Mark): Promise<ReaderClient> {
    const reader = await this.start();
    if (reader.opened) return reader;
    const { home } = this.#parts;
    await reader.open({ home, scratch: scratchIn(home), known, watch: true, mark });
    return reader;
  }

  /** The next one begins anew. */
  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }
}
