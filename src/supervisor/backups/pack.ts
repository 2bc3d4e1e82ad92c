/** One pack: tar, then zstd, then age when there is a recipient. Standard formats, nothing around. */
import { hash } from "node:crypto";
import { promisify } from "node:util";
import { constants, createZstdDecompress, zstdCompress } from "node:zlib";
import { sealOf } from "../../archive/age-payload.ts";
import { TAR_END, tarHeader, tarPadding } from "../../archive/tar-writer.ts";
import { PACK_TARGET_BYTES, PARTS_PREFIX } from "../../protocol/backup.ts";
import { giveBack } from "./memory.ts";

const compress = promisify(zstdCompress);

/** A pack's content, the largest list and some framing: more than that is not a pack. */
const MAX_UNPACKED = PACK_TARGET_BYTES + 512 * 1024 * 1024;
/** Up to so many bytes a name stands in the header itself. */
const SHORT_NAME = 100;
const BLOCK = 512;
/** The runtime answers in pieces of this size, each a trip to another thread: its own 16 KB are slow. */
const LEAST_CHUNK = 64 * 1024;
const MOST_CHUNK = PACK_TARGET_BYTES + 1024 * 1024;
const LIKELY_RATIO = 4;
const PIECE_BYTES = 1024 * 1024;

export interface PackEntry {
  name: string;
  bytes: Buffer;
  mode: number;
  /** Milliseconds since the epoch. */
  modified: number;
}

/** Bytes that an entry takes of its archive, at the most: many small files are headers above all. */
export function entryBytes(name: string, size: number): number {
  const bytes = Buffer.byteLength(name);
  return size + 2 * BLOCK + (bytes > SHORT_NAME ? 3 * BLOCK + bytes : 0);
}

export function entryName(path: string, part: number | undefined): string {
  return part === undefined ? path : `${PARTS_PREFIX}${path}/${String(part).padStart(8, "0")}`;
}

export interface SealedPack {
  bytes: Uint8Array<ArrayBuffer>;
  sha256: string;
  /** {@link sealOf} what is encrypted. */
  seal?: string;
}

export async function sealPack(
  entries: readonly PackEntry[],
  recipient: string | undefined,
): Promise<SealedPack> {
  const tar: Uint8Array[] = [];
  for (const { name, bytes, mode, modified } of entries) {
    const size = bytes.length;
    tar.push(tarHeader({ path: name, type: "file", size, mode, modified: modified / 1000 }));
    tar.push(bytes, tarPadding(size));
  }
  tar.push(TAR_END);
  const whole = Buffer.concat(tar);
  const plain = await compress(whole, {
    chunkSize: chunkFor(whole.length),
    params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const bytes =
    recipient === undefined ? Uint8Array.from(plain) : await encrypted(plain, recipient);
  const seal = recipient === undefined ? undefined : sealOf(bytes);
  return {
    ...{ bytes, sha256: hash("sha256", bytes, "hex") },
    ...(seal === undefined ? {} : { seal }),
  };
}

/** Loaded at its first use: the ciphers take megabytes that a sandbox without a key never needs. */
async function encrypted(plain: Uint8Array, recipient: string): Promise<Uint8Array<ArrayBuffer>> {
  const { encrypt } = await import("./age.ts");
  return encrypt(plain, recipient);
}

/** It arrived, and is not what it should be: cut, or something else. */
export class PackError extends Error {
  override readonly name = "PackError";
  readonly code = "pack";
}

/**
 * The archive in a pack, piece by piece, in memory for one: a piece is good until the next is asked for.
 *
 * @throws PackError on anything that is not a whole pack, at the latest at its end
 */
export async function* unpacked(
  compressed: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunkSize = Math.min(PIECE_BYTES, chunkFor(compressed.length * LIKELY_RATIO));
  const unpack = createZstdDecompress({ chunkSize });
  unpack.end(compressed);
  let left = MAX_UNPACKED;
  try {
    for await (const piece of unpack) {
      if (!(piece instanceof Uint8Array)) throw new Error("an archive is bytes");
      left -= piece.length;
      if (left < 0) throw new Error(`a pack unpacks to more than ${MAX_UNPACKED} bytes`);
      yield piece;
      // In the memory of one that is not full the next may follow.
      if (piece.length === chunkSize) giveBack(piece);
    }
  } catch (error) {
    throw new PackError(error instanceof Error ? error.message : String(error));
  }
}

function chunkFor(bytes: number): number {
  return Math.min(MOST_CHUNK, Math.max(LEAST_CHUNK, bytes));
}
