/** What one isolate holds at its highest, asked of its inspector again and again. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { z } from "zod";

const usage = z.object({
  result: z.object({ usedSize: z.number(), backingStorageSize: z.number() }),
});

export const LOOK_EVERY_MS = 20;

export interface HeapWatch {
  /** JavaScript's heap with the buffers behind it, in bytes: the highest since the last call. */
  takePeak(): Promise<number>;
  close(): Promise<void>;
}

/** Answers come between two turns of the isolate's work: what lives within one turn is not in them. */
export async function watchHeap(inspector: URL): Promise<HeapWatch> {
  const socket = new WebSocket(inspector);
  await once(socket, "open");
  let id = 0;
  let peak = 0;
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    const answered = once(socket, "message");
    socket.send(JSON.stringify({ id: ++id, method: "Runtime.getHeapUsage" }));
    const [text] = await answered;
    const { result } = usage.parse(JSON.parse(String(text)));
    peak = Math.max(peak, result.usedSize + result.backingStorageSize);
  };
  let latest = look();
  const looking = (async () => {
    while (!ended.signal.aborted) {
      await latest;
      await sleep(LOOK_EVERY_MS);
      latest = look();
    }
    await latest;
  })();
  return {
    async takePeak() {
      await latest;
      const taken = peak;
      peak = 0;
      return taken;
    },
    async close() {
      ended.abort();
      await looking;
      socket.close();
    },
  };
}
