/**
 * The bucket, as the backups use it. Fails closed: whatever could not be read or written is a
 * `store` fault, never an absence; a body shorter or longer than the bucket says is one, too.
 */
import { within } from "../deadline.ts";

/** The part of the platform's `R2Bucket` that is used. */
export interface BackupBucket {
  head(key: string): Promise<StoredObject | null>;
  get(key: string, options?: { range?: Range }): Promise<StoredBody | null>;
  put(
    key: string,
    value: ReadableStream<Uint8Array> | Uint8Array | string,
    options: PutOptions,
  ): Promise<StoredObject | null>;
  list(options: {
    prefix: string;
    cursor?: string;
  }): Promise<{ objects: StoredObject[]; truncated: boolean; cursor?: string }>;
  delete(keys: string[]): Promise<void>;
}

/** In bytes. */
export interface Range {
  offset: number;
  length: number;
}

export interface StoredObject {
  key: string;
  size: number;
  etag: string;
  uploaded: Date;
  checksums: { sha256?: ArrayBuffer };
}

export interface StoredBody extends StoredObject {
  body: ReadableStream<Uint8Array>;
  text(): Promise<string>;
}

export interface PutOptions {
  onlyIf: { etagMatches: string } | { etagDoesNotMatch: string };
  /** Hex; the bucket refuses other content. */
  sha256?: string;
}

/** Only where no object of that name is. */
export const ABSENT = { etagDoesNotMatch: "*" } as const;

export interface StoreFault {
  ok: false;
  reason: "store";
  message: string;
}

export type Stored<T> = { ok: true; value: T } | StoreFault;

const CALL_MS = 15_000;
const BODY_MS = 60_000;

async function attempt<T>(what: string, ms: number, work: () => Promise<T>): Promise<Stored<T>> {
  try {
    return { ok: true, value: await within(what, ms, work()) };
  } catch (error) {
    return fault(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function fault(message: string): StoreFault {
  return { ok: false, reason: "store", message: message.slice(0, 500) };
}

/** Undefined is an answer of the bucket: no such object. */
export async function readText(
  bucket: BackupBucket,
  key: string,
): Promise<Stored<{ text: string; etag: string } | undefined>> {
  const found = await attempt(`reading ${key}`, CALL_MS, async () => {
    const object = await bucket.get(key);
    if (object === null) return undefined;
    return { text: await object.text(), etag: object.etag, size: object.size };
  });
  if (!found.ok || found.value === undefined)
    return found.ok ? { ok: true, value: undefined } : found;
  const { text, etag, size } = found.value;
  const bytes = new TextEncoder().encode(text).byteLength;
  if (bytes !== size) return fault(`reading ${key}: ${bytes} of ${size} bytes arrived`);
  return { ok: true, value: { text, etag } };
}

export async function readBody(
  bucket: BackupBucket,
  key: string,
  range?: Range,
): Promise<Stored<StoredBody | undefined>> {
  const options = range === undefined ? {} : { range };
  const found = await attempt(`reading ${key}`, CALL_MS, () => bucket.get(key, options));
  return found.ok ? { ok: true, value: found.value ?? undefined } : found;
}

export async function readHead(
  bucket: BackupBucket,
  key: string,
): Promise<Stored<StoredObject | undefined>> {
  const found = await attempt(`looking at ${key}`, CALL_MS, () => bucket.head(key));
  return found.ok ? { ok: true, value: found.value ?? undefined } : found;
}

/** Undefined when the condition did not hold: nothing was written then. */
export async function write(
  bucket: BackupBucket,
  key: string,
  value: ReadableStream<Uint8Array> | Uint8Array | string,
  options: PutOptions,
): Promise<Stored<StoredObject | undefined>> {
  const written = await attempt(`writing ${key}`, BODY_MS, () => bucket.put(key, value, options));
  return written.ok ? { ok: true, value: written.value ?? undefined } : written;
}

export async function listAll(
  bucket: BackupBucket,
  prefix: string,
): Promise<Stored<StoredObject[]>> {
  const objects: StoredObject[] = [];
  let cursor: string | undefined;
  do {
    const options = cursor === undefined ? { prefix } : { prefix, cursor };
    const page = await attempt(`listing ${prefix}`, CALL_MS, () => bucket.list(options));
    if (!page.ok) return page;
    objects.push(...page.value.objects);
    cursor = page.value.truncated ? page.value.cursor : undefined;
    if (page.value.truncated && cursor === undefined) return fault(`listing ${prefix}: cut short`);
  } while (cursor !== undefined);
  return { ok: true, value: objects };
}

export async function remove(bucket: BackupBucket, keys: string[]): Promise<Stored<undefined>> {
  const MOST_AT_ONCE = 1000;
  for (let i = 0; i < keys.length; i += MOST_AT_ONCE) {
    const some = keys.slice(i, i + MOST_AT_ONCE);
    const done = await attempt("deleting", CALL_MS, () => bucket.delete(some));
    if (!done.ok) return done;
  }
  return { ok: true, value: undefined };
}

export function sha256Of(object: StoredObject): string | undefined {
  const digest = object.checksums.sha256;
  if (digest === undefined) return undefined;
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
