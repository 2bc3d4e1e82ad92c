/** The default agent, because on engines with a proxy it is the one that knows of it. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { FILE_KEY_HEADER } from "../../protocol/backup.ts";
import { request as httpRequest } from "../http.ts";
import type { Send } from "./host-client.ts";
import { giveBack } from "./memory.ts";

const FILE_KEY = FILE_KEY_HEADER.toLowerCase();

export const sendToHost: Send = async ({ url, method, headers, body, signal, into }) => {
  const request = httpRequest(url, { method, headers, signal });
  const answered = once(request, "response");
  request.end(body);
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new Error("no response");
  const answer = new Answer(into);
  // Plain events: a pack comes in hundreds of pieces, and each would cost a promise.
  response.on("data", (chunk: Buffer) => answer.add(chunk));
  try {
    await once(response, "end");
  } finally {
    response.removeAllListeners("data");
  }
  if (!response.complete) throw new Error("the answer broke off");
  const fileKey = response.headers[FILE_KEY];
  return {
    ...{ status: response.statusCode ?? 500, bytes: answer.bytes() },
    fileKey: typeof fileKey === "string" ? fileKey : undefined,
  };
};

/**
 * Copied at once where there is a place, and the pieces given back: left to the garbage collector, those of
 * one pack make it look through everything.
 */
class Answer {
  readonly #into: Uint8Array;
  readonly #rest: Buffer[] = [];
  #filled = 0;
  /** Whoever reads the connection may still be at work on the piece that came last. */
  #last: Buffer | undefined;

  constructor(into: Uint8Array = new Uint8Array(0)) {
    this.#into = into;
  }

  add(chunk: Buffer): void {
    if (this.#last !== undefined) giveBack(this.#last);
    this.#last = undefined;
    if (this.#rest.length > 0 || this.#filled + chunk.length > this.#into.length) {
      this.#rest.push(chunk);
      return;
    }
    this.#into.set(chunk, this.#filled);
    this.#filled += chunk.length;
    this.#last = chunk;
  }

  bytes(): Uint8Array {
    const placed = this.#into.subarray(0, this.#filled);
    return this.#rest.length === 0 ? placed : Buffer.concat([placed, ...this.#rest]);
  }
}
