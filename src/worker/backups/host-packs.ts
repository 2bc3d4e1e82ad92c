/**
 * Packs between the sandbox and the bucket: each is streamed, whatever its size, and the agent's Durable Object
 * says first whether it may be.
 */
import { FILE_KEY_HEADER, sha256Hex, STORED_PACK } from "../../protocol/backup.ts";
import { DeadlineError, within } from "../deadline.ts";
import { ABSENT, readBody, write, type BackupBucket, type StoredBody } from "./bucket.ts";
import type { BackupAnswer, BackupCall, Place } from "./calls.ts";
import { opened, unlocked, type BackupKeys } from "./cipher.ts";
import { refuse, type Answer, type Refused } from "./ledger.ts";
import { joined } from "./streams.ts";

export interface PackDoor {
  bucket: BackupBucket;
  keys: () => Promise<BackupKeys | undefined>;
  /** Passes on a stream of so many bytes: the platform wants to know, and so does whoever reads it. */
  ofLength(bytes: number): TransformStream<Uint8Array, Uint8Array>;
  ask: (call: BackupCall) => Promise<BackupAnswer>;
}

const CHECK_MS = 60_000;
const PLAIN_PACK = "application/zstd";

export async function readPack(
  pack: string,
  request: Request,
  door: PackDoor,
): Promise<Response | Refused> {
  const found = await findPack(pack, door);
  if (!found.ok) return found;
  const { body, size, recipient } = found.value;
  const keys = await door.keys();
  if (request.headers.get("accept") !== STORED_PACK) {
    // A sandbox of the release before.
    const plain = await opened(body, keys, recipient);
    if (!plain.ok) return refuse(plain.reason, `Pack ${pack}: ${plain.message}`);
    return new Response(plain.body, { headers: { "Content-Type": PLAIN_PACK } });
  }
  const stored = await unlocked(body, keys, recipient);
  if (!stored.ok) return refuse(stored.reason, `Pack ${pack}: ${stored.message}`);
  const { fileKey } = stored;
  const headers = new Headers({ "Content-Type": fileKey === undefined ? PLAIN_PACK : STORED_PACK });
  if (fileKey !== undefined) headers.set(FILE_KEY_HEADER, base64(fileKey));
  return new Response(joined(stored.head, stored.rest, door.ofLength(size)), { headers });
}

export async function storePack(
  pack: string,
  request: Request,
  { bucket, ofLength, ask }: PackDoor,
): Promise<BackupAnswer> {
  const size = Number(request.headers.get("content-length") ?? Number.NaN);
  const sha256 = sha256Hex.safeParse(request.headers.get("x-moltworker-sha256"));
  if (!Number.isSafeInteger(size) || size <= 0 || !sha256.success || request.body === null) {
    return refuse("invalid", "A pack comes with its length and its SHA-256.");
  }
  const allowed = await ask({ call: "store-pack", pack, size });
  if (!allowed.ok) return allowed;
  if (!("key" in allowed.value)) return refuse("invalid", "The agent gave no name for the pack.");
  const body = request.body.pipeThrough(ofLength(size));
  const options = { onlyIf: ABSENT, sha256: sha256.data };
  const stored = await write(bucket, allowed.value.key, body, options);
  if (!stored.ok) return stored;
  if (stored.value === undefined) return refuse("exists", `Pack ${pack} is there already.`);
  return { ok: true, value: { key: allowed.value.key } };
}

/**
 * Reads the pack to its end: `corrupt` only when the bucket gave every byte it says it has, or gave
 * bytes that cannot be what was stored. A read that broke off says nothing about the pack.
 */
export async function checkPack(pack: string, door: PackDoor): Promise<BackupAnswer> {
  const found = await findPack(pack, door);
  if (!found.ok) return found;
  const { key, recipient } = found.value;
  const raw = counted(found.value.body);
  let problem: string | undefined;
  try {
    const body = await opened(raw.body, await door.keys(), recipient);
    if (!body.ok) {
      if (raw.broken() || raw.endedBefore(found.value.size)) return brokenOff(pack);
      return refuse(body.reason, `Pack ${pack}: ${body.message}`);
    }
    await within(`reading pack ${pack}`, CHECK_MS, body.body.pipeTo(new WritableStream()));
  } catch (error) {
    if (error instanceof DeadlineError) return brokenOff(pack);
    problem = error instanceof Error ? error.message : String(error);
  }
  if (raw.broken() || raw.endedBefore(found.value.size)) return brokenOff(pack);
  if (problem !== undefined) return refuse("corrupt", `Pack ${pack}: ${problem}`);
  return { ok: true, value: { key } };
}

/** In the bucket, when it may be read. */
async function findPack(
  pack: string,
  { bucket, ask }: PackDoor,
): Promise<Answer<Place & Pick<StoredBody, "body" | "size">>> {
  const allowed = await ask({ call: "read-pack", pack });
  if (!allowed.ok) return allowed;
  if (!("key" in allowed.value)) return refuse("invalid", "The agent gave no name for the pack.");
  const found = await readBody(bucket, allowed.value.key);
  if (!found.ok) return found;
  if (found.value === undefined) return refuse("missing", `Pack ${pack} is not in the bucket.`);
  const { body, size } = found.value;
  return { ok: true, value: { ...allowed.value, body, size } };
}

function brokenOff(pack: string): Refused {
  return refuse("store", `Reading pack ${pack} broke off.`);
}

/** Tells how reading went below whatever consumes the stream. */
function counted(source: ReadableStream<Uint8Array>): {
  body: ReadableStream<Uint8Array>;
  broken: () => boolean;
  endedBefore: (size: number) => boolean;
} {
  const reader = source.getReader();
  let bytes = 0;
  let ended = false;
  let broken = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          bytes += value.byteLength;
          controller.enqueue(value);
          return;
        }
        ended = true;
      } catch (error) {
        broken = true;
        throw error;
      }
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { body, broken: () => broken, endedBefore: (size) => ended && bytes < size };
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
