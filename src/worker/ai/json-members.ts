/**
 * The members of a JSON object, found in its bytes: so that one value can be read or replaced while
 * every other byte, with its spacing, escapes and unknown fields, stays as it was.
 *
 * Fails closed: anything but one object, and a member that is there twice (two readers might take
 * different ones), is not read at all.
 */
export interface Members {
  bytes: Uint8Array<ArrayBuffer>;
  /** Where each value begins and ends. */
  spans: ReadonlyMap<string, { start: number; end: number }>;
  /** Just behind the opening brace. */
  inside: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function membersOf(bytes: Uint8Array<ArrayBuffer>): Members | undefined {
  const spans = new Map<string, { start: number; end: number }>();
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== 0x7b) return undefined;
  const inside = at + 1;
  at = skipSpace(bytes, inside);
  if (bytes[at] === 0x7d) return ends(bytes, at) ? { bytes, spans, inside } : undefined;
  for (;;) {
    if (bytes[at] !== QUOTE) return undefined;
    const keyEnd = stringEnd(bytes, at);
    const key = text(bytes, at, keyEnd);
    at = skipSpace(bytes, keyEnd);
    if (typeof key !== "string" || spans.has(key) || bytes[at] !== COLON) return undefined;
    const start = skipSpace(bytes, at + 1);
    const end = valueEnd(bytes, start);
    if (end <= start) return undefined;
    spans.set(key, { start, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === 0x7d) return ends(bytes, at) ? { bytes, spans, inside } : undefined;
    if (bytes[at] !== COMMA) return undefined;
    at = skipSpace(bytes, at + 1);
  }
}

/** The value of a member, or undefined when it is missing or no JSON. */
export function member({ bytes, spans }: Members, name: string): unknown {
  const span = spans.get(name);
  return span === undefined ? undefined : text(bytes, span.start, span.end);
}

export interface Found {
  /** As it is spelled there. */
  path: string[];
  /** Undefined where there is none. */
  value: unknown;
}

/**
 * A member, or one of a member (`generationConfig.candidateCount`), in either spelling that JSON of
 * Protocol Buffers takes (`candidateCount`, `candidate_count`). Undefined when two readers might see
 * different values.
 */
export function find(members: Members, path: string): Found | undefined {
  const [camel = "", ...rest] = path.split(".");
  const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const { spans, bytes } = members;
  if (camel !== snake && spans.has(camel) && spans.has(snake)) return undefined;
  const name = spans.has(snake) ? snake : camel;
  const span = spans.get(name);
  if (span === undefined) return { path: [name, ...rest], value: undefined };
  const value = member(members, name);
  if (value === undefined) return undefined;
  if (rest.length === 0 || value === null) {
    return { path: [name, ...rest], value: rest.length === 0 ? value : undefined };
  }
  const inner = membersOf(bytes.subarray(span.start, span.end));
  const found = inner && find(inner, rest.join("."));
  return found && { path: [name, ...found.path], value: found.value };
}

/** The same bytes with these members replaced or, at the front, added. */
export function withMembers(
  members: Members,
  changes: Readonly<Record<string, unknown>>,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const edits = Object.entries(changes).map(([name, value]) => {
    const span = members.spans.get(name);
    const json = JSON.stringify(value);
    return span === undefined
      ? {
          start: members.inside,
          end: members.inside,
          put: encoder.encode(
            `${JSON.stringify(name)}:${json}${members.spans.size > 0 ? "," : ""}`,
          ),
        }
      : { start: span.start, end: span.end, put: encoder.encode(json) };
  });
  if (members.spans.size === 0 && edits.length > 1) {
    return Uint8Array.from(encoder.encode(JSON.stringify(changes)));
  }
  edits.sort((a, b) => a.start - b.start);
  const size = edits.reduce((sum, { start, end, put }) => sum + put.length - (end - start), 0);
  const result = new Uint8Array(members.bytes.length + size);
  let from = 0;
  let to = 0;
  for (const { start, end, put } of edits) {
    result.set(members.bytes.subarray(from, start), to);
    to += start - from;
    result.set(put, to);
    to += put.length;
    from = end;
  }
  result.set(members.bytes.subarray(from), to);
  return result;
}

function text(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return JSON.parse(decoder.decode(bytes.subarray(start, end)));
  } catch {
    return undefined;
  }
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (SPACE.has(bytes[at] ?? -1)) at += 1;
  return at;
}

function ends(bytes: Uint8Array, brace: number): boolean {
  return skipSpace(bytes, brace + 1) === bytes.length;
}

/** Just behind the closing quote. */
function stringEnd(bytes: Uint8Array, quote: number): number {
  let at = quote;
  for (;;) {
    at = bytes.indexOf(QUOTE, at + 1);
    if (at === -1) return bytes.length;
    let slashes = 0;
    while (bytes[at - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
}

function valueEnd(bytes: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      at = stringEnd(bytes, at);
      if (depth === 0) return at;
      continue;
    }
    if (OPEN.has(byte)) depth += 1;
    else if (CLOSE.has(byte)) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || SPACE.has(byte))) return at;
    at += 1;
  }
  return at;
}
