/** The bytes of an archive that waits, as they were before they went into the bucket. */
import { Encrypter } from "age-encryption";
import type { ArchiveBytes } from "../../archive/survey.ts";
import { unpacked } from "../../archive/unpack.ts";
import { IMPORT_PART_BYTES } from "../../protocol/import.ts";
import { ABSENT, readBody, write, type BackupBucket } from "./bucket.ts";
import { opened, type BackupKeys } from "./cipher.ts";
import type { ImportSource } from "./imports.ts";
import { refuse, type Answer } from "./ledger.ts";

export interface BytesParts {
  bucket: BackupBucket;
  keys: BackupKeys | undefined;
}

/** Keeps one part; one that is there already stays as it is. */
export async function storePart(
  key: string,
  bytes: Uint8Array,
  { bucket, keys }: BytesParts,
): Promise<Answer<undefined>> {
  const stored = await write(bucket, key, await sealed(bytes, keys), {
    onlyIf: ABSENT,
  });
  return stored.ok ? { ok: true, value: undefined } : stored;
}

async function sealed(bytes: Uint8Array, keys: BackupKeys | undefined): Promise<Uint8Array> {
  if (keys === undefined) return bytes;
  const encrypter = new Encrypter();
  encrypter.addRecipient(keys.recipient);
  return encrypter.encrypt(bytes);
}

export async function readPiece(
  piece: ImportSource["pieces"][number],
  { bucket, keys }: BytesParts,
): Promise<Answer<ReadableStream<Uint8Array>>> {
  const found = await readBody(bucket, piece.key, piece.range);
  if (!found.ok) return found;
  if (found.value === undefined) return refuse("missing", `${piece.key} is not in the bucket.`);
  const body = await opened(found.value.body, keys);
  return body.ok ? { ok: true, value: body.body } : refuse(body.reason, body.message);
}

/** The whole archive, unpacked, from its beginning at each call. */
export function archiveBytes(source: ImportSource, parts: BytesParts): ArchiveBytes {
  async function* packed(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const [i, piece] of source.pieces.entries()) {
      let left = Math.min(IMPORT_PART_BYTES, source.bytes - i * IMPORT_PART_BYTES);
      const body = await readPiece(piece, parts);
      if (!body.ok) throw new Error(`${body.reason}: ${body.message}`);
      const reader = body.value.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        left -= value.byteLength;
        yield value;
      }
      if (left !== 0) throw new Error(`reading ${piece.key} broke off`);
    }
  }
  return () => unpacked(packed());
}
