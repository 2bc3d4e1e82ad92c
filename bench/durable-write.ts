/** What it costs to have something on this machine's disk: the least that a promise kept there costs. */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Three pages of a SQLite log: about what a reservation in the ledger writes. */
const BYTES = 3 * (4096 + 24);

export interface DurableFile {
  /** Appends once and waits until it is on the disk; how long that took, in milliseconds. */
  write(): Promise<number>;
  close(): Promise<void>;
}

export async function openDurableFile(): Promise<DurableFile> {
  const folder = await mkdtemp(path.join(tmpdir(), "moltworker-disk-"));
  const file = await open(path.join(folder, "log"), "a");
  const bytes = Buffer.alloc(BYTES, 1);
  return {
    async write() {
      const began = performance.now();
      await file.write(bytes);
      await file.sync();
      return performance.now() - began;
    },
    async close() {
      await file.close();
      await rm(folder, { recursive: true });
    },
  };
}
