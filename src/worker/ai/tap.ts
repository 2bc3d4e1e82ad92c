/**
 * Reads along an answer on its way to the caller: every chunk is passed on as it came and when it
 * came, at the caller's pace, and the end is told once, whichever way it comes.
 */
export type TapEnd = "complete" | "broken" | "cancelled";

export interface TapListener {
  chunk(bytes: Uint8Array): void;
  end(how: TapEnd): void;
}

export interface TapSource {
  first: Uint8Array | undefined;
  reader: ReadableStreamDefaultReader<Uint8Array>;
}

/** @param idleMs a source that is silent for longer while the caller waits is taken for dead */
export function tap(
  { first, reader }: TapSource,
  listener: TapListener,
  idleMs: number,
): ReadableStream<Uint8Array> {
  let waiting = first;
  let ended = false;
  function end(how: TapEnd): void {
    if (ended) return;
    ended = true;
    listener.end(how);
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = waiting ?? (await within(reader, idleMs));
          waiting = undefined;
          if (chunk === undefined) {
            end("complete");
            controller.close();
            return;
          }
          listener.chunk(chunk);
          controller.enqueue(chunk);
        } catch (error) {
          end("broken");
          controller.error(error);
        }
      },
      async cancel(reason) {
        end("cancelled");
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The next chunk, or undefined at the end. */
async function within(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  idleMs: number,
): Promise<Uint8Array | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const idle = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error("the provider went silent"));
      reader.cancel("silent").catch(() => {});
    }, idleMs);
  });
  try {
    const { done, value } = await Promise.race([reader.read(), idle]);
    return done ? undefined : value;
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}
