/**
 * Reads along an answer on its way to the caller: every chunk is passed on as it came and when it
 * came, at the caller's pace, and the end is told once, whichever way it comes.
 */
export type TapEnd = "complete" | "broken" | "cancelled";

/** A model may think for minutes without a byte, and a caller may pause; then nobody is there any more. */
export const IDLE_MS = 300_000;

export interface TapListener {
  chunk(bytes: Uint8Array): void;
  end(how: TapEnd): void;
}

export interface TapSource {
  first: Uint8Array | undefined;
  reader: ReadableStreamDefaultReader<Uint8Array>;
}

/**
 * @param idleMs a source that is silent for longer while the caller waits is taken for dead, and so is
 *   a caller that takes nothing for longer
 */
export function tap(
  { first, reader }: TapSource,
  listener: TapListener,
  idleMs: number,
): ReadableStream<Uint8Array> {
  let waiting = first;
  let unheard: Uint8Array | undefined;
  let turn: Turn = { of: "caller", since: Date.now() };
  let ended = false;
  let stopWatching = (): void => {};
  function hear(): void {
    const chunk = unheard;
    unheard = undefined;
    if (chunk !== undefined) listener.chunk(chunk);
  }
  function end(how: TapEnd): void {
    if (ended) return;
    ended = true;
    stopWatching();
    hear();
    listener.end(how);
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stopWatching = watchSilence(
          idleMs,
          () => turn.since,
          () => {
            const provider = turn.of === "provider";
            end(provider ? "broken" : "cancelled");
            controller.error(new Error(`the ${turn.of} went silent`));
            reader.cancel("silent").catch(() => {});
          },
        );
      },
      async pull(controller) {
        try {
          // The chunk before is on its way to the caller by now: reading it holds nothing up.
          hear();
          let chunk = waiting;
          waiting = undefined;
          if (chunk === undefined) {
            turn = { of: "provider", since: Date.now() };
            const { done, value } = await reader.read();
            chunk = done ? undefined : value;
          }
          if (ended) return;
          if (chunk === undefined) {
            end("complete");
            controller.close();
            return;
          }
          unheard = chunk;
          controller.enqueue(chunk);
          turn = { of: "caller", since: Date.now() };
        } catch (error) {
          if (ended) return;
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

/** Who is waited for, and since when. */
interface Turn {
  of: "provider" | "caller";
  since: number;
}

/**
 * Calls back once a wait has lasted for `ms`. One timer for the whole stream, because one for each
 * chunk costs more than the chunk.
 *
 * @returns ends it
 */
function watchSilence(ms: number, waitingSince: () => number, silent: () => void): () => void {
  let timer = setTimeout(look, ms);
  function look(): void {
    const left = waitingSince() + ms - Date.now();
    if (left > 0) timer = setTimeout(look, left);
    else silent();
  }
  return () => clearTimeout(timer);
}
