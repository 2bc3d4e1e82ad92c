/** One pack: tar, then zstd, then age when there is a recipient. Standard formats, nothing around. */
import { hash } from "node:crypto";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { readTar } from "../../archive/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "../../archive/tar-writer.ts";
import { PACK_TARGET_BYTES, PARTS_PREFIX } from "../../protocol/backup.ts";
import { giveBack } from "./memory.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A pack's content, the largest list and some framing: more than that is not a pack. */
const MAX_UNPACKED = PACK_TARGET_BYTES + 320 * 1024 * 1024;
/** The runtime answers in pieces of this size, each a trip to another thread: its own 16 KB are slow. */
const LEAST_CHUNK = 64 * 1024;
const MOST_CHUNK = PACK_TARGET_BYTES + 1024 * 1024;
const LIKELY_RATIO = 4;

export interface PackEntry {
  name: string;
  bytes: Buffer;
  mode: number;
  /** Milliseconds since the epoch. */
  modified: number;
}

export function entryName(path: string, part: number | undefined): string {
  return part === undefined ? path : `${PARTS_PREFIX}${path}/${String(part).padStart(8, "0")}`;
}

export interface SealedPack {
  bytes: Uint8Array<ArrayBuffer>;
  sha256: string;
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
  return { bytes, sha256: hash("sha256", bytes, "hex") };
}

/** Loaded at its first use: the ciphers take megabytes that a sandbox without a key never needs. */
async function encrypted(plain: Uint8Array, recipient: string): Promise<Uint8Array<ArrayBuffer>> {
  const { encrypt } = await import("./age.ts");
  return encrypt(plain, recipient);
}

export interface OpenedPack {
  /** Views of one buffer. */
  entries: ReadonlyMap<string, Uint8Array>;
  /** No entry may be used afterwards. */
  close(): void;
}

/** Opens a decrypted pack. Rejects on anything that is not a whole pack. */
export async function openPack(bytes: Uint8Array): Promise<OpenedPack> {
  const tar = await decompress(bytes, {
    chunkSize: chunkFor(bytes.byteLength * LIKELY_RATIO),
    maxOutputLength: MAX_UNPACKED,
  });
  const entries = new Map<string, Uint8Array>();
  for await (const entry of readTar(once(tar))) {
    if (entry.type !== "file") continue;
    // The archive is one chunk, and so is the content of an entry.
    for await (const content of entry.body()) entries.set(entry.path, content);
    if (entry.size === 0) entries.set(entry.path, new Uint8Array(0));
  }
  return { entries, close: () => giveBack(tar) };
}

function chunkFor(bytes: number): number {
  return Math.min(MOST_CHUNK, Math.max(LEAST_CHUNK, bytes));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
