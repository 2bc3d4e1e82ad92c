/** The content of one file as hashes, whole or in parts. */
import { hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** Below the first size a file is one piece; larger ones have larger parts, or lists would grow. */
const PART_SIZES = [
  { upTo: 64 * 1024 * 1024, partSize: 64 * 1024 },
  { upTo: 512 * 1024 * 1024, partSize: 256 * 1024 },
  { upTo: Number.POSITIVE_INFINITY, partSize: 1024 * 1024 },
] as const;
/** A file may outgrow its part size this many times before all of it is written in another. */
const SLACK = 4;

/** Undefined when the file is kept in one piece. */
export function partSizeFor(size: number, known: number | undefined): number | undefined {
  const first = PART_SIZES[0].partSize;
  if (size <= first) return undefined;
  const fitting = PART_SIZES.find((tier) => size <= tier.upTo)?.partSize ?? first;
  const held = PART_SIZES.find((tier) => tier.partSize === known);
  if (held !== undefined && held.partSize < fitting && size <= held.upTo * SLACK) {
    return held.partSize;
  }
  return fitting;
}

export interface Piece {
  index: number;
  sha256: string;
  bytes: Buffer;
}

export interface OpenedContent {
  size: number;
  head: Buffer;
  partSize: number | undefined;
  /** In order, each read once: what is hashed is what is handed out. */
  pieces(): Generator<Piece>;
  close(): void;
}

/** Opens a plain file; never a link, and never waits for the other end of a pipe. */
export function openContent(at: string, knownPartSize: number | undefined): OpenedContent {
  const file = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error("it is not a file any more");
    const size = stat.size;
    const partSize = partSizeFor(size, knownPartSize);
    const head = Buffer.alloc(16);
    const headLength = readSync(file, head, 0, 16, 0);
    return {
      size,
      partSize,
      head: head.subarray(0, headLength),
      pieces: () => pieces(file, size, partSize ?? size),
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function* pieces(file: number, size: number, pieceSize: number): Generator<Piece> {
  let at = 0;
  let index = 0;
  do {
    const bytes = Buffer.allocUnsafe(Math.min(pieceSize, size - at));
    let filled = 0;
    while (filled < bytes.length) {
      const read = readSync(file, bytes, filled, bytes.length - filled, at + filled);
      if (read === 0) throw new ShrunkError();
      filled += read;
    }
    yield { index, sha256: hash("sha256", bytes, "hex"), bytes };
    at += bytes.length;
    index += 1;
  } while (at < size);
}

/** The file became shorter while it was read; another pass sees it whole. */
export class ShrunkError extends Error {
  override readonly name = "ShrunkError";
  readonly code = "shrunk";
  constructor() {
    super("the file became shorter while it was read");
  }
}
