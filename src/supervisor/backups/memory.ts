/**
 * Large memory without the garbage collector. Left to that it stays for many packs more, and each new
 * pack gets fresh pages instead: on a small machine those cost more than unpacking does.
 */

/** Smaller buffers may be views of one that the runtime shares among many, unless they are all of it. */
const LEAST_BYTES = 64 * 1024;

/** Nothing that looks at the same memory may be used any more: it has no bytes from now on. */
export function giveBack({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (byteOffset !== 0 || !(buffer instanceof ArrayBuffer) || buffer.detached) return;
  if (buffer.byteLength >= LEAST_BYTES || byteLength === buffer.byteLength) buffer.transfer(0);
}

/** Places that are used again and again; what of one was never written to takes no memory. */
export class Places {
  readonly #bytes: number;
  readonly #free: Uint8Array[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  free(place: Uint8Array): void {
    this.#free.push(place);
  }

  close(): void {
    for (const place of this.#free.splice(0)) giveBack(place);
  }
}
