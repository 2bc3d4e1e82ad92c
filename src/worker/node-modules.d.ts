/** The parts of the runtime's Node modules that are used; its own types know none of them. */
declare module "node:crypto" {
  interface Decipher {
    setAuthTag(tag: Uint8Array): void;
    update(data: Uint8Array): Uint8Array;
    /** @throws when the tag does not fit */
    final(): Uint8Array;
  }
  /** A key as the runtime's ciphers take it. */
  export interface KeyObject {
    readonly type: "secret";
  }
  export function createSecretKey(key: Uint8Array): KeyObject;
  export function createDecipheriv(
    algorithm: "chacha20-poly1305",
    key: KeyObject,
    nonce: Uint8Array,
    options: { authTagLength: 16 },
  ): Decipher;
  export function hkdfSync(
    digest: "sha256",
    key: Uint8Array,
    salt: Uint8Array,
    info: string,
    length: number,
  ): ArrayBuffer;
  interface Hash {
    update(data: Uint8Array): Hash;
    digest(encoding: "hex"): string;
  }
  export function createHash(algorithm: "sha256"): Hash;
}

declare module "node:stream" {
  /** Takes bytes in and gives other bytes out, at the reader's pace. */
  export interface Transform extends AsyncIterable<Uint8Array> {}
  /** An error of either is one of the other, and so is an end that comes too early. */
  export function pipeline(
    source: AsyncIterable<Uint8Array>,
    through: Transform,
    ended: (error?: Error | null) => void,
  ): void;
}

declare module "node:zlib" {
  import type { Transform } from "node:stream";

  export function createGzip(): Transform;
  export function createZstdDecompress(): Transform;
}
