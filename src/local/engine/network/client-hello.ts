/** Reads the server name out of a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3). */

export type ClientHello =
  | { kind: "incomplete" }
  | { kind: "not-tls" }
  | { kind: "tls"; serverName?: string };

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;

/** A cursor that remembers having run past the end, so that callers check once. */
class Cursor {
  overrun = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: 1 | 2 | 3): number {
    const bytes = this.take(size);
    return bytes.length === size ? bytes.readUIntBE(0, size) : 0;
  }

  take(length: number): Buffer {
    if (length > this.left) {
      this.overrun = true;
      this.#at = this.#bytes.length;
      return Buffer.alloc(0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

/** Joins the handshake bytes of consecutive records; a ClientHello may span several. */
function handshakeBytes(bytes: Buffer): Buffer | "not-tls" {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] !== HANDSHAKE_RECORD)
      return parts.length === 0 ? "not-tls" : Buffer.concat(parts);
    if (at + 5 > bytes.length) break;
    if (bytes[at + 1] !== 3) return "not-tls";
    const length = bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return Buffer.concat(parts);
}

function serverNameOf(extensions: Cursor): string | undefined {
  while (extensions.left >= 4) {
    const type = extensions.number(2);
    const body = new Cursor(extensions.take(extensions.number(2)));
    if (type !== SERVER_NAME_EXTENSION) continue;
    const names = new Cursor(body.take(body.number(2)));
    while (names.left >= 3) {
      const nameType = names.number(1);
      const name = names.take(names.number(2));
      if (nameType === HOST_NAME && name.length > 0) return name.toString("latin1").toLowerCase();
    }
  }
  return undefined;
}

/** Decides on the first bytes of a connection; `incomplete` asks for more of them. */
export function readClientHello(bytes: Buffer): ClientHello {
  if (bytes.length === 0) return { kind: "incomplete" };
  const handshake = handshakeBytes(bytes);
  if (handshake === "not-tls") return { kind: "not-tls" };
  if (handshake.length === 0) return { kind: "incomplete" };
  if (handshake[0] !== CLIENT_HELLO) return { kind: "not-tls" };
  if (handshake.length < 4 || handshake.length < 4 + handshake.readUIntBE(1, 3)) {
    return { kind: "incomplete" };
  }
  const hello = new Cursor(handshake.subarray(4, 4 + handshake.readUIntBE(1, 3)));
  hello.take(2 + 32); // version, random
  hello.take(hello.number(1)); // session id
  hello.take(hello.number(2)); // cipher suites
  hello.take(hello.number(1)); // compression methods
  if (hello.overrun) return { kind: "not-tls" };
  const serverName = serverNameOf(new Cursor(hello.take(hello.number(2))));
  return serverName === undefined ? { kind: "tls" } : { kind: "tls", serverName };
}
