/** The gateway token and what is derived from it. Comparing fails closed and in constant time. */
const encoder = new TextEncoder();

/** Named by what makes it: the two runtimes declare it in different places. */
export type SigningKey = Awaited<ReturnType<typeof crypto.subtle.deriveKey>>;

/** Both sides are hashed first, so that neither length nor content shows in the time taken. */
export async function sameSecret(given: string, expected: string): Promise<boolean> {
  if (expected === "") return false;
  const [a, b] = await Promise.all([given, expected].map(sha256));
  if (a === undefined || b === undefined) return false;
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 256);
  return difference === 0;
}

export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

/** An HMAC-SHA-256 key for one purpose, from a secret of any length (RFC 5869). */
export async function derivedKey(secret: string, purpose: string): Promise<SigningKey> {
  const material = await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, [
    "deriveKey",
  ]);
  return crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: encoder.encode("moltworker"),
      info: encoder.encode(purpose),
    },
    material,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign", "verify"],
  );
}

export async function sign(key: SigningKey, text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text))));
}

export async function verifySignature(
  key: SigningKey,
  text: string,
  signature: string,
): Promise<boolean> {
  const bytes = fromBase64Url(signature);
  return bytes !== undefined && crypto.subtle.verify("HMAC", key, bytes, encoder.encode(text));
}

export function randomId(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(18)));
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
