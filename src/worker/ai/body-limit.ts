/**
 * Bounds a request's body without holding it. Fails closed: a body that grows past the limit is
 * cut off, and with it the call.
 */
export const MAX_REQUEST_BYTES = 64 * 1_048_576;

export interface BoundedBody {
  stream: ReadableStream<Uint8Array> | null;
  /** Whether the body was cut off; asked when the call has failed. */
  exceeded(): boolean;
}

/** Undefined when the request already says that its body is too large. */
export function boundBody(request: Request, limit: number): BoundedBody | undefined {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limit) return undefined;
  // A declared length is enforced by the framing. The untouched stream also keeps that length on
  // its way out, which some servers of one's own need.
  if (request.body === null || declared !== null) {
    return { stream: request.body, exceeded: () => false };
  }
  let left = limit;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      left -= chunk.byteLength;
      if (left < 0) controller.error(new Error("the request's body is too large"));
      else controller.enqueue(chunk);
    },
  });
  return { stream: request.body.pipeThrough(counter), exceeded: () => left < 0 };
}
