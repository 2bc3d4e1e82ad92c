/**
 * Short texts in objects that are plain otherwise, for whoever has the identity: AES-256-GCM under a key
 * derived from it, far cheaper than an age file for each. Fails closed: what does not open is nothing.
 */
import { identityFor, type BackupKeys } from "./cipher.ts";

type Key = Awaited<ReturnType<typeof crypto.subtle.deriveKey>>;

const IV_BYTES = 12;
const PURPOSE = new TextEncoder().encode("moltworker backups: sealed text");

/** In base64; undefined where no identity of that recipient is there. */
export async function sealText(
  keys: BackupKeys | undefined,
  recipient: string,
  text: string,
): Promise<string | undefined> {
  const key = await keyOf(keys, recipient);
  if (key === undefined) return undefined;
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const plain = new TextEncoder().encode(text);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain);
  return toBase64(new Uint8Array([...iv, ...new Uint8Array(sealed)]));
}

export async function openText(
  keys: BackupKeys | undefined,
  recipient: string,
  sealed: string,
): Promise<string | undefined> {
  const key = await keyOf(keys, recipient);
  if (key === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(sealed), (char) => char.charCodeAt(0));
    const iv = bytes.subarray(0, IV_BYTES);
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv },
      key,
      bytes.subarray(IV_BYTES),
    );
    return new TextDecoder().decode(plain);
  } catch {
    return undefined;
  }
}

const derived = new Map<string, Promise<Key>>();

async function keyOf(keys: BackupKeys | undefined, recipient: string): Promise<Key | undefined> {
  const identity = identityFor(keys, recipient);
  if (identity === undefined) return undefined;
  let key = derived.get(recipient);
  if (key === undefined) {
    key = derive(identity);
    derived.set(recipient, key);
  }
  return key;
}

/** https://www.rfc-editor.org/rfc/rfc5869 */
async function derive(identity: string): Promise<Key> {
  const material = new TextEncoder().encode(identity);
  const base = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: PURPOSE };
  const what = { name: "AES-GCM", length: 256 };
  return crypto.subtle.deriveKey(how, base, what, false, ["encrypt", "decrypt"]);
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
