import { pipeline, type Transform } from "node:stream";

/** A stream of what a generator gives, at the reader's pace. Cancelling ends the generator. */
export function streamOf(
  source: AsyncGenerator<Uint8Array, void, undefined>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await source.return();
      },
    },
    { highWaterMark: 0 },
  );
}

export interface Pieces {
  /** Holds what it holds until the next call; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
  /** Somebody else reads the rest. */
  release(): void;
}

const PIECE_BYTES = 64 * 1024;

/**
 * A stream in large pieces, all in one buffer, where it can be read so, as a bucket's can. By itself the
 * runtime makes a new buffer for every 4 KB.
 */
export function piecesOf(body: ReadableStream<Uint8Array>): Pieces {
  const reader = byteReaderOf(body);
  if (reader === undefined) return piecesAsTheyCome(body);
  let buffer = new ArrayBuffer(PIECE_BYTES);
  return {
    async next() {
      const { value } = await reader.read(new Uint8Array(buffer));
      if (value === undefined || value.byteLength === 0) return undefined;
      buffer = value.buffer;
      return value;
    },
    cancel: () => reader.cancel().catch(() => undefined),
    release: () => reader.releaseLock(),
  };
}

function piecesAsTheyCome(body: ReadableStream<Uint8Array>): Pieces {
  const reader = body.getReader();
  return {
    next: async () => (await reader.read()).value,
    cancel: () => reader.cancel().catch(() => undefined),
    release: () => reader.releaseLock(),
  };
}

function byteReaderOf(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    // Not a stream of bytes for the runtime, whatever it holds.
    return undefined;
  }
}

/**
 * What was read of a stream and then the rest of it, which the runtime moves by itself where `through` and
 * the stream are its own. Breaks off where the stream does.
 */
export function joined(
  head: Uint8Array,
  rest: ReadableStream<Uint8Array>,
  through: TransformStream<Uint8Array, Uint8Array>,
): ReadableStream<Uint8Array> {
  const move = async () => {
    const writer = through.writable.getWriter();
    try {
      await writer.write(head);
    } catch (error) {
      await rest.cancel(error);
      throw error;
    } finally {
      writer.releaseLock();
    }
    await rest.pipeTo(through.writable);
  };
  // Whoever reads it finds out.
  move().catch(() => undefined);
  return through.readable;
}

/**
 * What `transform` makes of `source`, at the reader's pace. The runtime's own `CompressionStream` takes in
 * all that it is given, however slowly it is read: a whole archive, where its reader is slow.
 */
export async function* transformed(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  // What goes wrong breaks off the reading below as well.
  pipeline(source, transform, () => undefined);
  yield* transform;
}

/** All of a stream, which may have at most `most` bytes. */
export async function bytesOf(
  body: ReadableStream<Uint8Array>,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > most) {
      await reader.cancel();
      throw new Error(`more than ${most} bytes`);
    }
    chunks.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}
