/**
 * R2 in memory, as its documentation describes it: strong consistency, conditional writes that
 * answer null, etags, checksums. Around it a wrapper that lets single calls go wrong.
 * https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
import { createHash } from "node:crypto";
import type {
  BackupBucket,
  PutOptions,
  StoredBody,
  StoredObject,
} from "../../src/worker/backups/bucket.ts";

interface Held {
  bytes: Uint8Array<ArrayBuffer>;
  etag: string;
  uploaded: Date;
  sha256: ArrayBuffer;
}

export interface MemoryBucket extends BackupBucket {
  objects: Map<string, Held>;
  /** How often each kind of call was made. */
  calls: Record<"get" | "put" | "head" | "list" | "delete", number>;
}

export function memoryBucket(now: () => number = Date.now): MemoryBucket {
  const objects = new Map<string, Held>();
  const calls = { get: 0, put: 0, head: 0, list: 0, delete: 0 };
  let etags = 0;
  const describe = (key: string, held: Held): StoredObject => ({
    key,
    size: held.bytes.byteLength,
    etag: held.etag,
    uploaded: held.uploaded,
    checksums: { sha256: held.sha256 },
  });
  return {
    objects,
    calls,
    async head(key) {
      calls.head++;
      const held = objects.get(key);
      return held === undefined ? null : describe(key, held);
    },
    async get(key, options = {}) {
      calls.get++;
      const held = objects.get(key);
      if (held === undefined) return null;
      const { offset, length } = options.range ?? { offset: 0, length: held.bytes.length };
      return bodyOf(describe(key, held), held.bytes.subarray(offset, offset + length));
    },
    async put(key, value, options) {
      calls.put++;
      const bytes = await bytesOf(value);
      if (!holds(options, objects.get(key))) return null;
      const digest = createHash("sha256").update(bytes).digest();
      if (options.sha256 !== undefined && options.sha256 !== digest.toString("hex")) {
        throw new Error("put: The SHA-256 checksum you specified did not match what we received.");
      }
      const sha256 = Uint8Array.from(digest).buffer;
      const held = { bytes, etag: `e${++etags}`, uploaded: new Date(now()), sha256 };
      objects.set(key, held);
      return describe(key, held);
    },
    async list({ prefix }) {
      calls.list++;
      const found = [...objects].filter(([key]) => key.startsWith(prefix));
      return { objects: found.map(([key, held]) => describe(key, held)), truncated: false };
    },
    async delete(keys) {
      calls.delete++;
      for (const key of keys) objects.delete(key);
    },
  };
}

function holds({ onlyIf }: PutOptions, present: Held | undefined): boolean {
  if ("etagMatches" in onlyIf) return present?.etag === onlyIf.etagMatches;
  return onlyIf.etagDoesNotMatch === "*"
    ? present === undefined
    : present?.etag !== onlyIf.etagDoesNotMatch;
}

export function bodyOf(about: StoredObject, bytes: Uint8Array<ArrayBuffer>): StoredBody {
  const CHUNK = 64 * 1024;
  let at = 0;
  return {
    ...about,
    body: new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + CHUNK));
        at += CHUNK;
      },
    }),
    text: async () => new TextDecoder().decode(bytes),
  };
}

async function bytesOf(
  value: ReadableStream<Uint8Array> | Uint8Array | string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  return new Uint8Array(await new Response(value).arrayBuffer());
}

export const FAULTS = [
  /** The call fails and nothing happened. */
  "error",
  "too-many",
  /** The write happened, its answer was lost. */
  "lost-answer",
  /** A body that ends early. */
  "truncated",
  /** A body that breaks. */
  "broken",
  /** What was there before the latest write of that name. */
  "stale",
  /** Somebody else wrote just before. */
  "conflict",
  /** No answer comes, and nothing happened. */
  "hangs",
  /** No answer comes, and a write lands when nobody waits for it any more. */
  "late",
  /** A body that stops in the middle and does not end. */
  "stalls",
] as const;
export type Fault = (typeof FAULTS)[number];

/** With which a write is made all the same. */
const LANDING: ReadonlySet<Fault> = new Set(["lost-answer", "late", "stale", "conflict"]);

/**
 * The `at`-th call (counted from 0) goes wrong in the given way; where it cannot, it just fails.
 *
 * @param pass lets the time pass that anybody waits for an answer
 */
export function faultyBucket(
  bucket: MemoryBucket,
  plan: (call: number, kind: string) => Fault | undefined,
  pass: () => void = () => undefined,
): BackupBucket & { count: () => number } {
  let count = 0;
  const former = new Map<string, Held | undefined>();
  const next = (kind: string) => plan(count++, kind);
  const never = (then: () => void = () => undefined) =>
    new Promise<never>(() => {
      setImmediate(() => {
        pass();
        then();
      });
    });
  const fail = async (fault: Fault): Promise<never> => {
    if (fault === "hangs" || fault === "late") await never();
    throw new Error(
      fault === "too-many" ? "put: Reduce your request rate (10058)" : "internal error",
    );
  };
  return {
    count: () => count,
    async head(key) {
      const fault = next("head");
      if (fault === "stale") return null;
      if (fault !== undefined) await fail(fault);
      return bucket.head(key);
    },
    async get(key, options) {
      const fault = next("get");
      if (fault === undefined) return bucket.get(key, options);
      if (fault === "stale") {
        const old = former.get(key);
        if (old === undefined) return null;
        return bodyOf(
          { key, size: old.bytes.length, etag: old.etag, uploaded: old.uploaded, checksums: {} },
          old.bytes,
        );
      }
      if (fault !== "truncated" && fault !== "broken" && fault !== "stalls") await fail(fault);
      const found = await bucket.get(key);
      const held = bucket.objects.get(key);
      if (found === null || held === undefined) return found;
      const cut = held.bytes.slice(0, Math.floor(held.bytes.length / 2));
      if (fault === "truncated") return { ...bodyOf(found, cut), size: held.bytes.length };
      const stalls = fault === "stalls";
      const breaks = () => Promise.reject(new Error("Network connection lost."));
      return {
        ...bodyOf(found, cut),
        size: held.bytes.length,
        // A whole pack is waited for longer than an answer.
        body: ending(cut, stalls ? () => never(pass) : breaks),
        text: stalls ? () => never() : breaks,
      };
    },
    async put(key, value, options) {
      const fault = next("put");
      if (fault !== undefined && !LANDING.has(fault)) {
        if (fault === "broken") await bytesOf(value);
        await fail(fault);
      }
      if (fault === "late") {
        const bytes = await bytesOf(value);
        await never(() => void bucket.put(key, bytes, options));
      }
      const before = bucket.objects.get(key);
      if (fault === "conflict" && before !== undefined) {
        bucket.objects.set(key, { ...before, etag: `${before.etag}-touched` });
      }
      const done = await bucket.put(key, value, options);
      if (done !== null) former.set(key, before);
      if (fault === "lost-answer") await fail(fault);
      return done;
    },
    async list(options) {
      const fault = next("list");
      if (fault !== undefined) await fail(fault);
      return bucket.list(options);
    },
    async delete(keys) {
      const fault = next("delete");
      if (fault !== undefined) await fail(fault);
      return bucket.delete(keys);
    },
  };
}

/** Gives the bytes, and then what the end of it comes to. */
function ending(bytes: Uint8Array, end: () => Promise<never>): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) return end();
      sent = true;
      return controller.enqueue(bytes);
    },
  });
}
