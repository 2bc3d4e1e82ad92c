/**
 * Encrypts to an age recipient. The header is the library's; the content is sealed by the runtime's
 * own cipher, which is more than ten times as fast as one in JavaScript.
 * https://age-encryption.org/v1, "Payload"
 */
import { createCipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Encrypter } from "age-encryption";

const CHUNK = 64 * 1024;
const TAG = 16;
const NONCE = 16;
/** What the library puts behind the header of an empty file: a nonce and one empty chunk. */
const EMPTY_PAYLOAD = NONCE + TAG;
const COUNTER_AT = 7;
const LAST_AT = 11;

export async function encrypt(
  plain: Uint8Array,
  recipient: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { header, fileKey } = await newHeader(recipient);
  const nonce = randomBytes(NONCE);
  const key = new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
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
    const cipher = createCipheriv("chacha20-poly1305", key, chunkNonce, { authTagLength: TAG });
    const content = cipher.update(plain.subarray(i * CHUNK, (i + 1) * CHUNK));
    cipher.final();
    sealed.set(content, at);
    sealed.set(cipher.getAuthTag(), at + content.byteLength);
    at += content.byteLength + TAG;
  }
  return sealed;
}

/** The library hands the file key to each recipient; one that adds nothing to the header sees it, too. */
async function newHeader(recipient: string): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array(0));
  if (fileKey === undefined) throw new Error("the age library made no file key");
  return { header: empty.subarray(0, empty.byteLength - EMPTY_PAYLOAD), fileKey };
}
