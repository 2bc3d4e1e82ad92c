/**
 * Headers of a tar, ustar where a name fits into it and with a pax header before it where not.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export interface TarHead {
  /** Without a slash at its end. */
  path: string;
  type: "file" | "folder" | "link";
  size: number;
  mode: number;
  /** Seconds since the epoch. */
  modified: number;
  target?: string;
}

const BLOCK = 512;
const MAX_NAME = 100;
const MAX_OCTAL_SIZE = 8 * 1024 ** 3;
const FLAGS = { file: "0", link: "2", folder: "5" } as const;

/** Two blocks of zeroes close an archive. */
export const TAR_END = new Uint8Array(2 * BLOCK);

export function tarHeader(head: TarHead): Uint8Array {
  const path = head.type === "folder" ? `${head.path}/` : head.path;
  const records: [string, string][] = [];
  if (!fits(path)) records.push(["path", path]);
  if (head.target !== undefined && !fits(head.target)) records.push(["linkpath", head.target]);
  if (head.size >= MAX_OCTAL_SIZE) records.push(["size", String(head.size)]);
  const own = block({ ...head, path: fits(path) ? path : "long-name", flag: FLAGS[head.type] });
  if (records.length === 0) return own;
  const content = new TextEncoder().encode(records.map(record).join(""));
  const { mode, modified } = head;
  const size = content.byteLength;
  const extended = block({ path: "pax-header", size, mode, modified, flag: "x" });
  return joined([extended, content, tarPadding(size), own]);
}

/** What follows `size` bytes of content. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

function block(head: Omit<TarHead, "type"> & { flag: string }): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  const octal = (at: number, width: number, value: number) =>
    put(
      at,
      bounded(value, 8 ** width - 1)
        .toString(8)
        .padStart(width, "0"),
    );
  put(0, head.path);
  octal(100, 7, head.mode);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, head.size < MAX_OCTAL_SIZE ? head.size : 0);
  octal(136, 11, head.modified);
  put(156, head.flag);
  if (head.target !== undefined && fits(head.target)) put(157, head.target);
  put(257, "ustar\u000000");
  put(148, " ".repeat(8));
  octal(
    148,
    6,
    bytes.reduce((sum, byte) => sum + byte, 0),
  );
  bytes[154] = 0;
  return bytes;
}

/** A number that is longer than its field would run into the next one. */
function bounded(value: number, most: number): number {
  return Math.min(most, Math.max(0, Math.floor(value)));
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function record([key, value]: [string, string]): string {
  const rest = new TextEncoder().encode(` ${key}=${value}\n`).byteLength;
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

function fits(text: string): boolean {
  return new TextEncoder().encode(text).byteLength <= MAX_NAME;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
