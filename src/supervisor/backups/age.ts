/**
 * Encrypts to an age X25519 recipient with the runtime's own ciphers. The library that the Worker
 * uses does them in JavaScript, more than ten times as slow, and would stay in the supervisor's memory.
 * https://age-encryption.org/v1
 */
import {
  createCipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from "node:crypto";
import { publicKeyOf } from "./age-recipient.ts";

const CHUNK = 64 * 1024;
const TAG = 16;
const NONCE = 16;
const FILE_KEY = 16;
const COUNTER_AT = 7;
const LAST_AT = 11;
const NO_SALT = new Uint8Array(0);
const VERSION = "age-encryption.org/v1";
const X25519 = `${VERSION}/X25519`;
/** What stands before the key in its DER form (RFC 8410). */
const SPKI = Buffer.from("302a300506032b656e032100", "hex");

export function encrypt(plain: Uint8Array, recipient: string): Uint8Array<ArrayBuffer> {
  const fileKey = randomBytes(FILE_KEY);
  const header = headerFor(fileKey, publicKeyOf(recipient));
  const nonce = randomBytes(NONCE);
  const key = derived(fileKey, nonce, "payload");
  const chunks = Math.max(1, Math.ceil(plain.byteLength / CHUNK));
  const sealed = new Uint8Array(header.byteLength + NONCE + plain.byteLength + chunks * TAG);
  sealed.set(header);
  sealed.set(nonce, header.byteLength);
  let at = header.byteLength + NONCE;
  const chunkNonce = new Uint8Array(12);
  const view = new DataView(chunkNonce.buffer);
  for (let i = 0; i < chunks; i++) {
    view.setUint32(COUNTER_AT, i);
    chunkNonce[LAST_AT] = i === chunks - 1 ? 1 : 0;
    const [content, tag] = seal(key, chunkNonce, plain.subarray(i * CHUNK, (i + 1) * CHUNK));
    sealed.set(content, at);
    sealed.set(tag, at + content.byteLength);
    at += content.byteLength + TAG;
  }
  return sealed;
}

/** One stanza, for one recipient, and the authentication of the whole header. */
function headerFor(fileKey: Uint8Array, recipient: Buffer): Buffer {
  const ephemeral = generateKeyPairSync("x25519");
  const share = ephemeral.publicKey.export({ format: "der", type: "spki" }).subarray(SPKI.length);
  const publicKey = createPublicKey({
    key: Buffer.concat([SPKI, recipient]),
    format: "der",
    type: "spki",
  });
  // Throws for a point of low order, whose secret everybody knows (RFC 7748, 6.1).
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey });
  const wrapKey = derived(secret, Buffer.concat([share, recipient]), X25519);
  const wrapped = Buffer.concat(seal(wrapKey, new Uint8Array(12), fileKey));
  const head = `${VERSION}\n-> X25519 ${base64(share)}\n${base64(wrapped)}\n---`;
  const mac = createHmac("sha256", derived(fileKey, NO_SALT, "header"))
    .update(head)
    .digest();
  return Buffer.from(`${head} ${base64(mac)}\n`);
}

function seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): [Buffer, Buffer] {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: TAG });
  const content = cipher.update(plain);
  cipher.final();
  return [content, cipher.getAuthTag()];
}

function derived(secret: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, salt, info, 32));
}

/** Without padding, as the format has it. */
function base64(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
