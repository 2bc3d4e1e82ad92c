/**
 * Which paths of the gateway the front port offers. Fails closed: a path that could be read in two
 * ways is refused, whatever it would have meant.
 */
export type PathDecision =
  | { ok: true; path: string }
  | { ok: false; reason: "closed"; status: 404 }
  | { ok: false; reason: "malformed" | "ambiguous"; status: 400 };

/**
 * With the gateway's shared token these act as a full operator over plain HTTP, past device pairing.
 * `__openclaw__/worker…` speaks a closed protocol for machines that this gateway has not enrolled.
 */
const CLOSED: readonly RegExp[] = [
  /^\/tools\/invoke(\/|$)/,
  /^\/v1(\/|$)/,
  /^\/api\/v1\/admin(\/|$)/,
  /^\/sessions\/[^/]+\/(kill|history)(\/|$)/,
  /^\/__openclaw__\/worker[^/]*(\/|$)/,
];

const MAX_DECODES = 4;

/** Decides on the request target of a request line: path and query, still encoded. */
export function decidePath(target: string): PathDecision {
  const [path = "", ...rest] = target.split("?");
  const query = rest.length > 0 ? `?${rest.join("?")}` : "";
  // Printable ASCII without what no path contains; RFC 3986 section 3.3.
  if (!/^\/[\x21-\x7e]*$/.test(path) || /[#<>"^`{|}]/.test(path)) return malformed;
  const decoded = decodeFully(path);
  if (decoded === undefined) return malformed;
  const canonical = canonicalPath(decoded);
  if (CLOSED.some((closed) => closed.test(canonical))) return closedPath;
  if (isAmbiguous(path)) return { ok: false, reason: "ambiguous", status: 400 };
  return { ok: true, path: `${path}${query}` };
}

const malformed: PathDecision = { ok: false, reason: "malformed", status: 400 };
const closedPath: PathDecision = { ok: false, reason: "closed", status: 404 };

/** Undefined when the first layer of encoding is broken. */
function decodeFully(path: string): string | undefined {
  let text = path;
  for (let round = 0; round < MAX_DECODES && text.includes("%"); round += 1) {
    try {
      text = decodeURIComponent(text);
    } catch {
      return round === 0 ? undefined : text;
    }
  }
  return text;
}

/** The most permissive reading: any server that is laxer than ours would arrive here. */
function canonicalPath(decoded: string): string {
  const segments: string[] = [];
  for (const raw of decoded.toLowerCase().split(/[/\\]+/)) {
    // A server may ignore a parameter (`;…`), surrounding space, and control characters.
    const segment = (raw.split(";")[0] ?? "").replaceAll(/[\s\p{Cc}]/gu, "");
    if (segment === "" || segment === ".") continue;
    if (segment === "..") segments.pop();
    else segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

/** Separators in disguise, empty and dot segments, control characters. */
function isAmbiguous(path: string): boolean {
  if (path.includes("\\") || path.includes("//")) return true;
  if (/%(?:2f|5c|0[0-9a-f]|1[0-9a-f]|7f)/i.test(path)) return true;
  return path.split("/").some((segment) => /^\.{1,2}$/.test(segment.replaceAll(/%2e/gi, ".")));
}
