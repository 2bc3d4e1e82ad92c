/**
 * A metered call's body, held whole: it may have to be sent again, or elsewhere. Fails closed: a
 * body over the limit is cut off, and so is what would not fit into the isolate beside the others.
 */
export const MAX_METERED_BYTES = 32 * 1_048_576;
/** Of all calls under way in this isolate, which has 128 MB for everything. */
const MAX_HELD_BYTES = 64 * 1_048_576;

let held = 0;

export type Body =
  | { ok: true; bytes: Uint8Array<ArrayBuffer>; release(): void }
  | { ok: false; reason: "body-too-large" | "too-much-at-once" };

export async function readBody(request: Request, limit: number): Promise<Body> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limit) return { ok: false, reason: "body-too-large" };
  if (request.body !== null && Number.isSafeInteger(declared) && declared > 0) {
    return readDeclared(request.body, declared);
  }
  return readChunks(request, limit);
}

/** In one piece, which takes one turn of the loop instead of one a chunk. */
async function readDeclared(body: ReadableStream<Uint8Array>, length: number): Promise<Body> {
  if (held + length > MAX_HELD_BYTES) return { ok: false, reason: "too-much-at-once" };
  held += length;
  try {
    const reader = body.getReader({ mode: "byob" });
    // No more than the buffer holds is taken, whatever comes.
    const { value } = await reader.readAtLeast(length, new Uint8Array(length));
    return { ok: true, bytes: value ?? new Uint8Array(0), release: releaseOf(length) };
  } catch (error) {
    held -= length;
    throw error;
  }
}

async function readChunks(request: Request, limit: number): Promise<Body> {
  let size = 0;
  let refused: "body-too-large" | "too-much-at-once" | undefined;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      held += chunk.byteLength;
      if (size > limit) refused = "body-too-large";
      else if (held > MAX_HELD_BYTES) refused = "too-much-at-once";
      // Leaving the loop cancels the stream.
      if (refused !== undefined) break;
      chunks.push(chunk);
    }
  } catch (error) {
    held -= size;
    throw error;
  }
  if (refused !== undefined) {
    held -= size;
    return { ok: false, reason: refused };
  }
  return { ok: true, bytes: joined(chunks, size), release: releaseOf(size) };
}

function releaseOf(size: number): () => void {
  let released = false;
  return () => {
    if (!released) held -= size;
    released = true;
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
