/**
 * The one spelling of a path. Fails closed: a path that could be read as another one, by us, by a
 * cache or by the gateway behind us, is refused and never routed.
 *
 * Every route is matched on the text this returns, so there is nothing left to decode later.
 */
export type ReadPath =
  | { ok: true; path: string }
  | { ok: false; reason: "escape" | "dots" | "slashes" | "characters" | "case" };

/** First segments that mean something to the Worker, in their only accepted spelling. */
const OWN_SEGMENTS = new Set([
  "_admin",
  "_control-ui",
  "_moltworker",
  "api",
  "assets",
  "cdn-cgi",
  "cdp",
  "debug",
  "healthz",
  "tools",
  "v1",
  "ws",
]);

/** RFC 3986 `pchar` without `;`, which some servers cut paths at. */
const PLAIN = /^[A-Za-z0-9._~!$&'()*+,=:@/-]*$/;
/** An escape may stand for these only: whatever needs one and has no meaning in routing. */
const NEEDS_ESCAPE = /^[ "<>^`{|}[\]:@!$&'()*+,=\u00a1-\u{10ffff}]*$/u;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

/** @param pathname the path as it came over the wire, or as `URL` shows it */
export function readPath(pathname: string): ReadPath {
  if (!pathname.startsWith("/") || pathname.includes("//") || pathname.includes("\\")) {
    return { ok: false, reason: "slashes" };
  }
  const segments = pathname.split("/").slice(1);
  for (const segment of segments) {
    const problem = badSegment(segment);
    if (problem !== undefined) return { ok: false, reason: problem };
  }
  const first = segments[0] ?? "";
  if (first.includes("%")) return { ok: false, reason: "escape" };
  const lower = first.toLowerCase();
  if (first !== lower && OWN_SEGMENTS.has(lower)) return { ok: false, reason: "case" };
  return { ok: true, path: pathname };
}

function badSegment(segment: string): "escape" | "dots" | "characters" | undefined {
  if (!PLAIN.test(segment.replace(/%[0-9A-Fa-f]{2}/g, ""))) {
    return segment.includes("%") ? "escape" : "characters";
  }
  const escapes = segment.match(/(?:%[0-9A-Fa-f]{2})+/g) ?? [];
  for (const escape of escapes) {
    const text = decode(escape);
    if (text === undefined || !NEEDS_ESCAPE.test(text) || HIDDEN.test(text)) return "escape";
    // Full-width and other compatibility forms fold to ASCII in some readers.
    if (/^[\x21-\x7e]*$/.test(text.normalize("NFKC")) && !/^[\x20-\x7e]*$/.test(text)) {
      return "escape";
    }
  }
  return segment.endsWith(".") ? "dots" : undefined;
}

function decode(escape: string): string | undefined {
  try {
    return decodeURIComponent(escape);
  } catch {
    return undefined;
  }
}

/** The path before `URL` has resolved dots and backslashes in it, where the runtime still shows them. */
export function rawPath(address: string): string {
  const path = address.replace(/^[a-z]+:\/\/[^/?#\\]*/i, "").replace(/[?#].*$/s, "");
  return path === "" ? "/" : path;
}
