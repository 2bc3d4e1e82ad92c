/** Under what an answer may be kept: everything that decides it, so that only identical requests meet. */

/** Larger requests are too unlikely to come twice. */
const MAX_KEYED_BYTES = 2 * 1_048_576;
const DECIDING_HEADERS = ["anthropic-version", "anthropic-beta", "openai-beta"];

/** @returns hexadecimal SHA-256, or nothing for a request that is too large to be kept */
export async function cacheKeyOf(
  { pathname, search }: URL,
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
): Promise<string> {
  if (body.byteLength > MAX_KEYED_BYTES) return "";
  const deciding = DECIDING_HEADERS.map((name) => headers.get(name));
  const whole = new Blob([JSON.stringify([pathname, search, ...deciding]), "\n", body]);
  const digest = await crypto.subtle.digest("SHA-256", await whole.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
