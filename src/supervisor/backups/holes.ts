/**
 * What need not be written, because a file that becomes longer reads as zeroes there: a sparse file takes no
 * more room restored than it took before.
 */
import type { Content, Wanted } from "./state-writer.ts";

/** Less is not worth looking at. */
const LEAST_BYTES = 4096;
const ZEROES = Buffer.alloc(1024 * 1024);

export class Holes {
  /** How far the content of each has come. */
  readonly #passed = new Map<Wanted, number>();
  /** Come a second time: what was written the first time may be anything. */
  readonly #again = new Set<Wanted>();

  /** Told of every slice, in its order. */
  isOne({ wanted, at, bytes }: Content): boolean {
    if (at < (this.#passed.get(wanted) ?? 0)) this.#again.add(wanted);
    this.#passed.set(wanted, at + bytes.length);
    return bytes.length >= LEAST_BYTES && !this.#again.has(wanted) && isZeroes(bytes);
  }
}

function isZeroes(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROES.length) {
    const part = bytes.subarray(at, at + ZEROES.length);
    if (ZEROES.compare(part, 0, part.length, 0, part.length) !== 0) return false;
  }
  return true;
}
