/**
 * A metered call's body, held whole: it may have to be sent again, or elsewhere. Fails closed: a
 * body over the limit is cut off, and so is what would not fit into the isolate beside the others,
 * and what does not come whole in time.
 */
import { DeadlineError, within } from "../deadline.ts";

export const MAX_METERED_BYTES = 32 * 1_048_576;
/** The largest comes from a sandbox in seconds. */
export const BODY_DEADLINE_MS = 60_000;
/** Of all calls under way in this isolate, which has 128 MB for everything. */
const MAX_HELD_BYTES = 64 * 1_048_576;

let held = 0;

export type Body =
  | { ok: true; bytes: Uint8Array<ArrayBuffer>; release(): void }
  | { ok: false; reason: "body-too-large" | "too-much-at-once" | "body-too-slow" };

interface Bounds {
  limit: number;
  deadlineMs: number;
}

/** Rejects when the caller goes away. */
export async function readBody(request: Request, { limit, deadlineMs }: Bounds): Promise<Body> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limit) return { ok: false, reason: "body-too-large" };
  const { body } = request;
  const share = new Share();
  if (body === null) return { ok: true, bytes: new Uint8Array(), release: () => share.release() };
  const source =
    Number.isSafeInteger(declared) && declared > 0
      ? declaredOf(body.getReader({ mode: "byob" }), declared, share)
      : chunksOf(body.getReader(), limit, share);
  try {
    const read = await within("the caller", deadlineMs, source.read());
    if (read.ok) return { ...read, release: () => share.release() };
    share.release();
    return read;
  } catch (error) {
    share.release();
    source.cancel();
    if (error instanceof DeadlineError) return { ok: false, reason: "body-too-slow" };
    throw error;
  }
}

/** What one body has taken of the isolate's room. */
class Share {
  #size = 0;
  #released = false;

  /** @returns whether there was room */
  take(bytes: number): boolean {
    if (this.#released || held + bytes > MAX_HELD_BYTES) return false;
    held += bytes;
    this.#size += bytes;
    return true;
  }

  release(): void {
    held -= this.#size;
    this.#size = 0;
    this.#released = true;
  }
}

interface Source {
  read(): Promise<
    | { ok: true; bytes: Uint8Array<ArrayBuffer> }
    | { ok: false; reason: "body-too-large" | "too-much-at-once" }
  >;
  cancel(): void;
}

/** In one piece, which takes one turn of the loop instead of one a chunk. */
function declaredOf(reader: ReadableStreamBYOBReader, length: number, share: Share): Source {
  return {
    async read() {
      if (!share.take(length)) return { ok: false, reason: "too-much-at-once" };
      // No more than the buffer holds is taken, whatever comes.
      const { value } = await reader.readAtLeast(length, new Uint8Array(length));
      return { ok: true, bytes: value ?? new Uint8Array(0) };
    },
    cancel: () => void reader.cancel().catch(() => {}),
  };
}

function chunksOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limit: number,
  share: Share,
): Source {
  const cancel = () => void reader.cancel().catch(() => {});
  return {
    async read() {
      let size = 0;
      const chunks: Uint8Array[] = [];
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return { ok: true, bytes: joined(chunks, size) };
        size += value.byteLength;
        const reason = size > limit ? "body-too-large" : "too-much-at-once";
        if (size > limit || !share.take(value.byteLength)) {
          cancel();
          return { ok: false, reason };
        }
        chunks.push(value);
      }
    },
    cancel,
  };
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
