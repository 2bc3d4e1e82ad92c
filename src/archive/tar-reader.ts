/**
 * Reads a tar (POSIX ustar and pax, GNU long names) from a stream with memory for one header and one
 * chunk. Fails closed: whatever is not exactly a tar is an error that names the entry.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export type TarType =
  | "file"
  | "folder"
  | "link"
  | "hard link"
  | "device"
  | "pipe"
  | "sparse file"
  | "unknown kind";

export interface TarEntry {
  path: string;
  type: TarType;
  size: number;
  /** Permission bits with set-user-id, set-group-id and sticky: 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since the epoch. */
  modified: number;
  target: string;
  /** Bytes of the extended headers before it. */
  extended: number;
  /** The content, to be read before the next entry is asked for; what is not read is passed over. */
  body(): AsyncGenerator<Uint8Array, void, undefined>;
}

export class TarError extends Error {
  override readonly name = "TarError";
  readonly code = "tar";
}

const BLOCK = 512;
const MAX_EXTENSION_BYTES = 64 * 1024;
/** So many extended headers before one entry; nobody writes more than one of each kind. */
const MOST_EXTENSIONS = 8;
/** Of the whole archive, which says nothing that matters here; of the next entry, by pax and by GNU. */
const EXTENSIONS = new Set(["g", "x", "L", "K"]);
const TYPES: Record<string, TarType> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hard link",
  "2": "link",
  "3": "device",
  "4": "device",
  "5": "folder",
  "6": "pipe",
  S: "sparse file",
};

interface Extension {
  path?: string;
  target?: string;
  size?: number;
  uid?: number;
  gid?: number;
  sparse?: true;
}

export async function* readTar(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<TarEntry, void, undefined> {
  const bytes = new ByteSource(source);
  let extension: Extension = {};
  let [extensions, extended] = [0, 0];
  let last = "the first entry";
  for (;;) {
    const header = await bytes.take(BLOCK, last);
    if (header.every((byte) => byte === 0)) return;
    const { typeflag, ...read } = parseHeader(header, last);
    if (EXTENSIONS.has(typeflag)) {
      const size = bounded(read.size, last);
      extensions += 1;
      extended += BLOCK + size;
      if (extensions > MOST_EXTENSIONS) {
        throw new TarError(`there are too many extended headers after ${last}`);
      }
      const content = (await bytes.take(padded(size), last)).subarray(0, size);
      if (typeflag === "x") Object.assign(extension, parsePax(content, last));
      else if (typeflag === "L") extension.path = text(upToZero(content), last);
      else if (typeflag === "K") extension.target = text(upToZero(content), last);
      continue;
    }
    const { sparse, ...said } = extension;
    const head = { ...read, ...said, extended };
    extension = {};
    [extensions, extended] = [0, 0];
    last = head.path;
    const type = sparse ? "sparse file" : (TYPES[typeflag] ?? "unknown kind");
    // Only files have content; a size that something else claims is not followed by any.
    const size = type === "file" || type === "sparse file" ? head.size : 0;
    let left = size;
    let padding = padded(size) - size;
    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      while (left > 0) {
        const chunk = await bytes.some(left, head.path);
        left -= chunk.byteLength;
        yield chunk;
      }
      const rest = padding;
      padding = 0;
      if (rest > 0) await bytes.take(rest, head.path);
    }
    yield { ...head, type, size, body };
    for await (const _ of body());
  }
}

function parseHeader(header: Uint8Array, before: string) {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  if (number(header.subarray(148, 156)) !== sum) {
    throw new TarError(`this is not a tar archive, or it is damaged after ${before}`);
  }
  const ustar = latin(header.subarray(257, 262)) === "ustar";
  const posix = ustar && header[262] === 0;
  const name = text(upToZero(header.subarray(0, 100)), before);
  const prefix = posix ? text(upToZero(header.subarray(345, 500)), before) : "";
  const [size, mode, uid, gid, modified] = [
    number(header.subarray(124, 136)),
    number(header.subarray(100, 108)),
    number(header.subarray(108, 116)),
    number(header.subarray(116, 124)),
    number(header.subarray(136, 148)),
  ];
  if (!Number.isSafeInteger(size) || size < 0) throw new TarError(`${name} has no size`);
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    typeflag: String.fromCharCode(header[156] ?? 0),
    ...{ size, mode: mode & 0o7777, uid, gid, modified },
    target: text(upToZero(header.subarray(157, 257)), before),
  };
}

/** Octal text, or with the top bit of the first byte set big-endian binary. */
function number(field: Uint8Array): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const digits = latin(upToZero(field)).trim();
  if (digits === "") return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Records `<length> <key>=<value>\n`, of which the keys that matter here are read. */
function parsePax(content: Uint8Array, before: string): Extension {
  const found: Extension = {};
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(32, at);
    const length = Number(latin(content.subarray(at, space)));
    if (space < 0 || !Number.isSafeInteger(length) || length < 5 || at + length > content.length) {
      throw new TarError(`the extended header after ${before} is damaged`);
    }
    const record = content.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(61);
    const key = latin(record.subarray(0, equals));
    const value = record.subarray(equals + 1);
    if (key === "path") found.path = text(value, before);
    else if (key === "linkpath") found.target = text(value, before);
    else if (key === "size" || key === "uid" || key === "gid") {
      const parsed = Number(latin(value));
      if (!Number.isSafeInteger(parsed) || parsed < 0) {
        throw new TarError(`the extended header after ${before} has a ${key} that is none`);
      }
      found[key] = parsed;
    } else if (key.startsWith("GNU.sparse.")) found.sparse = true;
    at += length;
  }
  return found;
}

function bounded(size: number, before: string): number {
  if (size <= MAX_EXTENSION_BYTES) return size;
  throw new TarError(`the extended header after ${before} is too large`);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function upToZero(field: Uint8Array): Uint8Array {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

function text(bytes: Uint8Array, before: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TarError(`the name after ${before} is not UTF-8: ${latin(bytes).slice(0, 100)}`);
  }
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Bytes of a stream in the sizes that are asked for. */
class ByteSource {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least one byte, at most `most`. */
  async some(most: number, where: string): Promise<Uint8Array> {
    while (this.#held.byteLength === 0) {
      const next = await this.#source.next();
      if (next.done) throw new TarError(`the archive ends within ${where}`);
      this.#held = next.value;
    }
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.byteLength);
    return taken;
  }

  async take(length: number, where: string): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0);
    const first = await this.some(length, where);
    if (first.byteLength === length) return first;
    const all = new Uint8Array(length);
    all.set(first);
    for (let at = first.byteLength; at < length;) {
      const more = await this.some(length - at, where);
      all.set(more, at);
      at += more.byteLength;
    }
    return all;
  }
}
