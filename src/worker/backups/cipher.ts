/**
 * age, as the Worker uses it: it alone holds identities. Fails closed: content that no configured
 * identity opens is refused by name, never passed on and never taken for empty.
 */
import { Decrypter, identityToRecipient } from "age-encryption";
import { decryptPayload, isAgeFile, mayBeAgeFile, splitHeader } from "../../archive/age-payload.ts";
import { piecesOf, streamOf, type Pieces } from "./streams.ts";

export interface BackupKeys {
  /** Public; new generations are encrypted to it. */
  recipient: string;
  /** The current identity first, then those that older generations need. */
  identities: { identity: string; recipient: string }[];
}

export async function backupKeys(identities: readonly string[]): Promise<BackupKeys | undefined> {
  const pairs = await Promise.all(
    identities.map(async (identity) => ({
      identity,
      recipient: await identityToRecipient(identity),
    })),
  );
  const [current] = pairs;
  return current === undefined ? undefined : { recipient: current.recipient, identities: pairs };
}

const keysByConfig = new WeakMap<object, Promise<BackupKeys | undefined>>();

/** Derived once for each configuration. */
export function keysOf(config: {
  backups: { identities: readonly string[] };
}): Promise<BackupKeys | undefined> {
  let keys = keysByConfig.get(config);
  if (keys === undefined) {
    keys = backupKeys(config.backups.identities);
    keysByConfig.set(config, keys);
  }
  return keys;
}

export function identityFor(keys: BackupKeys | undefined, recipient: string): string | undefined {
  return keys?.identities.find((pair) => pair.recipient === recipient)?.identity;
}

/** What a person reads when no key fits. Recipients are public. */
export function wrongKey(keys: BackupKeys | undefined, recipient: string): string {
  const have =
    keys === undefined
      ? "BACKUP_KEY is not set"
      : `BACKUP_KEY is for ${keys.identities.map((pair) => pair.recipient).join(", ")}`;
  return (
    `The backup is encrypted to ${recipient}, and ${have}. ` +
    "Set BACKUP_KEY to the identity it was made with; a newer one may stand before it."
  );
}

type Locked = { ok: false; reason: "wrong-key" | "corrupt"; message: string };

export type Opened = { ok: true; body: ReadableStream<Uint8Array> } | Locked;

/**
 * Content as it was before encryption; what was never encrypted passes as it is.
 *
 * @param recipient that it is known to be encrypted to, if it is: with that one's identity at hand, content
 *   that does not open is damaged
 */
export async function opened(
  body: ReadableStream<Uint8Array>,
  keys: BackupKeys | undefined,
  recipient?: string,
): Promise<Opened> {
  const pieces = piecesOf(body);
  const found = await findKey(pieces, keys, recipient);
  if (!found.ok) return found;
  const { read, key } = found;
  if (key === undefined) return { ok: true, body: streamOf(copied(pieces, read)) };
  const sealed = chunksOf(pieces, read.subarray(key.behind));
  return { ok: true, body: streamOf(decryptPayload(key.fileKey, sealed)) };
}

export type Unlocked =
  | {
      ok: true;
      /** What was read of it, and what follows. */
      head: Uint8Array;
      rest: ReadableStream<Uint8Array>;
      /** Opens this one file and no other; absent where it was never encrypted. */
      fileKey?: Uint8Array;
    }
  | Locked;

/** Content as it is stored, with the key that opens it. */
export async function unlocked(
  body: ReadableStream<Uint8Array>,
  keys: BackupKeys | undefined,
  recipient?: string,
): Promise<Unlocked> {
  const pieces = piecesOf(body);
  const found = await findKey(pieces, keys, recipient);
  if (!found.ok) return found;
  const { read, key } = found;
  pieces.release();
  return {
    ...{ ok: true, head: read, rest: body },
    ...(key === undefined ? {} : { fileKey: key.fileKey }),
  };
}

type Found =
  | {
      ok: true;
      read: Uint8Array;
      /** Undefined where nothing was encrypted; the payload begins behind so many bytes. */
      key?: { fileKey: Uint8Array; behind: number };
    }
  | Locked;

async function findKey(
  pieces: Pieces,
  keys: BackupKeys | undefined,
  recipient: string | undefined,
): Promise<Found> {
  const first = await readHeader(pieces);
  if (first.kind === "plain") return { ok: true, read: first.bytes };
  if (first.kind === "broken") {
    await pieces.cancel();
    return { ok: false, reason: "corrupt", message: "the age header is damaged" };
  }
  const decrypter = new Decrypter();
  for (const { identity } of keys?.identities ?? []) decrypter.addIdentity(identity);
  try {
    const fileKey = await decrypter.decryptHeader(first.header);
    return { ok: true, read: first.bytes, key: { fileKey, behind: first.header.length } };
  } catch (error) {
    await pieces.cancel();
    const said = error instanceof Error ? error.message : String(error);
    const mine = recipient !== undefined && identityFor(keys, recipient) !== undefined;
    if (mine || (keys !== undefined && !said.includes("no identity matched"))) {
      return { ok: false, reason: "corrupt", message: `the age header is damaged: ${said}` };
    }
    return { ok: false, reason: "wrong-key", message: "no identity in BACKUP_KEY opens this pack" };
  }
}

type First =
  | { kind: "plain"; bytes: Uint8Array }
  | { kind: "age"; bytes: Uint8Array; header: Uint8Array }
  | { kind: "broken" };

async function readHeader(pieces: Pieces): Promise<First> {
  let bytes = new Uint8Array(0);
  for (;;) {
    if (!mayBeAgeFile(bytes)) return { kind: "plain", bytes };
    const split = splitHeader(bytes);
    if (split === "too-long") return { kind: "broken" };
    if (split !== undefined) return { kind: "age", bytes, header: split.header };
    const value = await pieces.next();
    if (value === undefined)
      return isAgeFile(bytes) ? { kind: "broken" } : { kind: "plain", bytes };
    const both = new Uint8Array(bytes.length + value.byteLength);
    both.set(bytes);
    both.set(value, bytes.length);
    bytes = both;
  }
}

async function* chunksOf(
  pieces: Pieces,
  first: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (first.byteLength > 0) yield first;
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
      yield piece;
    }
  } finally {
    await pieces.cancel();
  }
}

/** For a reader that keeps what it is given. */
async function* copied(
  pieces: Pieces,
  first: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of chunksOf(pieces, first)) yield piece.slice();
}
