/** The memory of a workerd that runs the backups: of its process, and of two of its isolates. */
import type { BackupRuntime } from "../test/support/backup-runtime.ts";
import { watchHeap } from "../test/support/isolate-heap.ts";
import { forgetPeak, peakBytes } from "../test/support/process-memory.ts";
import { residentBytes } from "./processes.ts";

/** The highest, in bytes, since the last look; `grown` is the process against its size at the beginning. */
export interface Held {
  worker: number;
  bucket: number;
  grown: number;
}

export interface RuntimeWatch {
  begin(): void;
  take(): Promise<Held>;
  close(): Promise<void>;
}

export async function watchRuntime({ pid, inspectors }: BackupRuntime): Promise<RuntimeWatch> {
  const worker = await watchHeap(inspectors.worker);
  const bucket = await watchHeap(inspectors.bucket);
  let before = residentBytes(pid);
  return {
    begin() {
      before = residentBytes(pid);
      forgetPeak(pid);
    },
    async take() {
      const grown = peakBytes(pid) - before;
      forgetPeak(pid);
      return { worker: await worker.takePeak(), bucket: await bucket.takePeak(), grown };
    },
    async close() {
      await worker.close();
      await bucket.close();
    },
  };
}
