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
  let unheard: Uint8Array | undefined;
  let askedAt: number | undefined;
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
          () => askedAt,
          () => {
            end("broken");
            controller.error(new Error("the provider went silent"));
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
            askedAt = Date.now();
            const { done, value } = await reader.read();
            askedAt = undefined;
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

/**
 * Calls back once a wait has lasted for `ms`. One timer for the whole stream, because one for each
 * chunk costs more than the chunk.
 *
 * @returns ends it
 */
function watchSilence(
  ms: number,
  waitingSince: () => number | undefined,
  silent: () => void,
): () => void {
  let timer = setTimeout(look, ms);
  function look(): void {
    const since = waitingSince();
    const left = since === undefined ? ms : since + ms - Date.now();
    if (left > 0) timer = setTimeout(look, left);
    else silent();
  }
  return () => clearTimeout(timer);
}
