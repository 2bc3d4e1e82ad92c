/**
 * Packs as a download reads them: in memory for what it still has to pass on, however much the framing of
 * a pack of many small files or its list comes to. Fails closed: what is no whole pack is an error.
 */
import { createZstdDecompress } from "node:zlib";
import { readTar, type TarEntry } from "../../archive/tar-reader.ts";
import { PACK_MAX_BYTES, PARTS_PREFIX, type PackId } from "../../protocol/backup.ts";
import { readBody, type BackupBucket } from "./bucket.ts";
import { opened, type BackupKeys } from "./cipher.ts";
import { packKey } from "./keys.ts";
import { transformed } from "./streams.ts";

export interface ExportParts {
  agentId: string;
  bucket: BackupBucket;
  keys: BackupKeys | undefined;
}

/** An entry, taken into memory when it is asked for. */
export interface PackedFile {
  path: string;
  size: number;
  bytes(): Promise<Uint8Array>;
}

type Parts = Map<string, Uint8Array>;

/** Far more than content, list and framing of the largest pack: a bomb, that would never end. */
const MOST_UNPACKED = 1024 ** 3;
/** Parts of one pack. It has 16 MB of content. */
const MOST_HELD = PACK_MAX_BYTES;
const PACKS_HELD = 2;

/** What anybody can do about what a download cannot. */
export const BY_HAND = 'restore it by hand instead, see "Restoring by hand" in docs/storage.md';

export class PackReader {
  readonly #parts: ExportParts;
  /** The one used last stands last. */
  readonly #held = new Map<PackId, Parts>();

  constructor(parts: ExportParts) {
    this.#parts = parts;
  }

  /**
   * All files in a pack, one by one, at the reader's pace. The pack itself is fetched at once: the bucket does
   * not wait for a slow reader.
   */
  async *files(pack: PackId): AsyncGenerator<PackedFile, void, undefined> {
    yield* filesIn(pack, fetched(await this.#read(pack)));
  }

  /** One part of a large file; every part is wanted once, and is let go of with that. */
  async takePart(pack: PackId, entry: string): Promise<Uint8Array | undefined> {
    const parts = await this.#partsOf(pack);
    const bytes = parts.get(entry);
    parts.delete(entry);
    return bytes;
  }

  async #partsOf(pack: PackId): Promise<Parts> {
    const held = this.#held.get(pack);
    this.#held.delete(pack);
    if (held === undefined && this.#held.size >= PACKS_HELD) {
      const [oldest = ""] = this.#held.keys();
      this.#held.delete(oldest);
    }
    const parts = held ?? (await this.#readParts(pack));
    this.#held.set(pack, parts);
    return parts;
  }

  async #readParts(pack: PackId): Promise<Parts> {
    const parts: Parts = new Map();
    let held = 0;
    for await (const file of filesIn(pack, await this.#read(pack))) {
      if (!file.path.startsWith(PARTS_PREFIX)) continue;
      held += file.size;
      if (held > MOST_HELD) throw new Error(`pack ${pack} holds too much at once: ${BY_HAND}`);
      parts.set(file.path, await file.bytes());
    }
    return parts;
  }

  async #read(pack: PackId): Promise<ReadableStream<Uint8Array>> {
    const { agentId, bucket, keys } = this.#parts;
    const found = await readBody(bucket, packKey(agentId, pack));
    if (!found.ok) throw new Error(found.message);
    if (found.value === undefined) throw new Error(`pack ${pack} is not in the bucket`);
    const body = await opened(found.value.body, keys);
    if (!body.ok) throw new Error(`pack ${pack}: ${body.message}`);
    return body.body;
  }
}

async function* fetched(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of atMost(PACK_MAX_BYTES, body)) chunks.push(chunk);
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk;
}

async function* filesIn(
  pack: PackId,
  compressed: AsyncIterable<Uint8Array>,
): AsyncGenerator<PackedFile, void, undefined> {
  const tar = atMost(MOST_UNPACKED, transformed(compressed, createZstdDecompress()));
  try {
    for await (const entry of readTar(tar)) {
      if (entry.type !== "file") continue;
      const { path, size } = entry;
      yield { path, size, bytes: () => contentOf(pack, entry) };
    }
    // To its end, where decrypting finds whether it is one.
    for await (const _ of tar);
  } finally {
    await tar.return();
  }
}

async function contentOf(pack: PackId, entry: TarEntry): Promise<Uint8Array> {
  if (entry.size > MOST_HELD) {
    throw new Error(`${entry.path} in pack ${pack} is too large at once: ${BY_HAND}`);
  }
  const bytes = new Uint8Array(entry.size);
  let at = 0;
  for await (const chunk of entry.body()) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

async function* atMost(
  most: number,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = most;
  for await (const bytes of source) {
    left -= bytes.byteLength;
    if (left < 0) throw new Error(`more than ${most} bytes: ${BY_HAND}`);
    yield bytes;
  }
}
