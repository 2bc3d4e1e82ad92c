/**
 * A provider's error body, cleared of the key. Fails closed: a body that cannot be read whole
 * within the bound is not passed on at all.
 */
const MAX_ERROR_BYTES = 64 * 1024;
const HIDDEN = "[redacted]";

/** The very bytes when the key is not in them; undefined when they are too many. */
export async function readErrorBody(
  response: Response,
  secrets: readonly string[],
): Promise<Uint8Array<ArrayBuffer> | string | undefined> {
  const bytes = await readBounded(response, MAX_ERROR_BYTES);
  if (bytes === undefined || secrets.length === 0) return bytes;
  const text = new TextDecoder().decode(bytes);
  const cleared = secrets
    .flatMap(spellings)
    .reduce((rest, key) => rest.replaceAll(key, HIDDEN), text);
  return cleared === text ? bytes : cleared;
}

function spellings(apiKey: string): string[] {
  return [apiKey, JSON.stringify(apiKey).slice(1, -1), encodeURIComponent(apiKey)];
}

async function readBounded(
  response: Response,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
