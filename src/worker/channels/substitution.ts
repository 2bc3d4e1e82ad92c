/**
 * Keeps a platform's token outside the sandbox: on the way out the placeholder is replaced where the
 * platform expects its token and nowhere else, on the way back an answer that holds the token is
 * withheld. Pure but for the streams. Fails closed.
 */
const encoder = new TextEncoder();
const NOT_OURS = new Set(["host", "cookie", "forwarded", "x-real-ip"]);

/** `Authorization` exactly as expected, with the real value; undefined for any other value. */
export function substitutedAuthorization(
  headers: Headers,
  expected: string,
  real: string,
): Headers | undefined {
  if (headers.get("authorization") !== expected) return undefined;
  const substituted = new Headers(headers);
  substituted.set("authorization", real);
  return substituted;
}

/** Headers of a request that leave with it; what names the sandbox's own way here does not. */
export function outgoingHeaders(headers: Headers): Headers {
  const out = new Headers(headers);
  const names = [...out.keys()].filter(
    (name) => NOT_OURS.has(name) || name.startsWith("x-forwarded-") || name.startsWith("cf-"),
  );
  for (const name of names) out.delete(name);
  // An answer in a coding that is not undone here could not be looked through.
  out.set("accept-encoding", "identity");
  return out;
}

/** The answer, ended with an error where it would show a secret; a header that does is removed. */
export function withheld(response: Response, secrets: readonly string[]): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of response.headers) {
    if (secrets.some((secret) => value.includes(secret))) headers.delete(name);
  }
  const body = response.body?.pipeThrough(scanFor(secrets)) ?? null;
  return new Response(body, { status: response.status, headers });
}

export class SecretInAnswerError extends Error {
  readonly code = "secret-in-answer";
  constructor() {
    super("The platform's answer held the token and was not passed on.");
  }
}

/** Passes bytes on, always that far behind that no part of a secret leaves before the rest is seen. */
function scanFor(secrets: readonly string[]): TransformStream<Uint8Array, Uint8Array> {
  const needles = secrets.map((secret) => encoder.encode(secret));
  const overlap = Math.max(0, ...needles.map((needle) => needle.length - 1));
  let held = new Uint8Array(0);
  return new TransformStream({
    transform(chunk, controller) {
      const all = joined(held, chunk);
      if (needles.some((needle) => contains(all, needle))) {
        controller.error(new SecretInAnswerError());
        return;
      }
      const ready = Math.max(0, all.length - overlap);
      if (ready > 0) controller.enqueue(all.slice(0, ready));
      held = all.slice(ready);
    },
    flush(controller) {
      if (held.length > 0) controller.enqueue(held);
    },
  });
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

function contains(haystack: Uint8Array, needle: Uint8Array): boolean {
  const first = needle[0];
  if (first === undefined) return false;
  for (let at = haystack.indexOf(first); at !== -1; at = haystack.indexOf(first, at + 1)) {
    if (needle.every((byte, index) => haystack[at + index] === byte)) return true;
  }
  return false;
}
