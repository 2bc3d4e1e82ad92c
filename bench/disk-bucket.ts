/**
 * R2 on a disk, as far as a bench needs it: what is stored lies in files and streams, so that the
 * memory of whoever uses it is its own. Conditions and checksums as its documentation has them.
 * https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import type { BackupBucket, StoredObject } from "../src/worker/backups/bucket.ts";

const CHUNK = 64 * 1024;

export interface DiskBucket extends BackupBucket {
  calls: Record<"get" | "put" | "head" | "list" | "delete", number>;
  storedBytes(): number;
}

export function diskBucket(folder: string): DiskBucket {
  const objects = new Map<string, StoredObject & { file: string }>();
  const calls = { get: 0, put: 0, head: 0, list: 0, delete: 0 };
  let written = 0;
  return {
    calls,
    storedBytes: () => [...objects.values()].reduce((sum, { size }) => sum + size, 0),
    async head(key) {
      calls.head++;
      return objects.get(key) ?? null;
    },
    async get(key) {
      calls.get++;
      const found = objects.get(key);
      if (found === undefined) return null;
      return {
        ...found,
        get body() {
          return bodyOf(found.file);
        },
        text: () => readFile(found.file, "utf8"),
      };
    },
    async put(key, value, { onlyIf, sha256 }) {
      calls.put++;
      const present = objects.get(key);
      const holds =
        "etagMatches" in onlyIf ? present?.etag === onlyIf.etagMatches : present === undefined;
      written += 1;
      const file = path.join(folder, String(written));
      const digest = await store(file, value);
      if (!holds) return null;
      if (sha256 !== undefined && sha256 !== digest.toString("hex")) {
        throw new Error("put: The SHA-256 checksum you specified did not match what we received.");
      }
      const about = {
        ...{ key, file, size: statSync(file).size, etag: `e${written}`, uploaded: new Date() },
        checksums: { sha256: Uint8Array.from(digest).buffer },
      };
      objects.set(key, about);
      if (present !== undefined) rmSync(present.file);
      return about;
    },
    async list({ prefix }) {
      calls.list++;
      const found = [...objects.values()].filter(({ key }) => key.startsWith(prefix));
      return { objects: found, truncated: false };
    },
    async delete(keys) {
      calls.delete++;
      for (const key of keys) objects.delete(key);
    },
  };
}

/**
 * A stream of bytes, as a bucket's is: read into the memory of whoever reads it. Read at once: the files are in
 * memory, and a trip to another thread for each piece would be measured.
 */
function bodyOf(file: string): ReadableStream<Uint8Array> {
  const from = openSync(file, "r");
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK,
    pull(controller) {
      const request = controller.byobRequest;
      const view = request?.view;
      if (request === null || view === null || view === undefined) {
        throw new Error("nothing to read into");
      }
      const read = readSync(from, new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      if (read === 0) {
        closeSync(from);
        controller.close();
      }
      request.respond(read);
    },
    cancel: () => closeSync(from),
  });
}

async function store(
  file: string,
  value: ReadableStream<Uint8Array> | Uint8Array | string,
): Promise<Buffer> {
  const digest = createHash("sha256");
  const target = await open(file, "w");
  try {
    const source = value instanceof ReadableStream ? value : Readable.from([Buffer.from(value)]);
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk);
      digest.update(bytes);
      await target.write(bytes);
    }
  } finally {
    await target.close();
  }
  return digest.digest();
}
