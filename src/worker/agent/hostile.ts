/**
 * The border to the browser: what the sandbox serves is taken for an attack on whoever reads it.
 * Fails closed: a response header that is not listed here does not pass, a redirect that is not
 * plainly harmless becomes an error, a script never arrives as one.
 *
 * Requests lose `Cookie` (the session is the Worker's) and everything that names or proves the
 * person at the edge. `Authorization` passes: the Control UI signs its own HTTP calls with the
 * gateway's inner token. The Worker has taken the header off before when it was the edge's own.
 */

/** Response headers that pass. Anything that sets state, policy or reporting of an origin does not. */
const RESPONSE_HEADERS = new Set([
  "accept-ranges",
  "age",
  "allow",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "content-security-policy",
  "content-type",
  "date",
  "etag",
  "expires",
  "last-modified",
  "location",
  "referrer-policy",
  "retry-after",
  "vary",
  "x-frame-options",
]);

/** RFC 6455: what a handshake answer needs, and nothing that a browser would keep. */
const UPGRADE_HEADERS = new Set([
  "connection",
  "date",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "upgrade",
]);

/** The JavaScript MIME types of the MIME Sniffing standard, plus what browsers run beside them. */
const SCRIPT_TYPE =
  /^\s*(?:text|application)\/(?:x-)?(?:java|ecma|live|j)script|^\s*(?:text\/javascript1\.\d|application\/wasm|application\/manifest\+json|application\/speculationrules\+json|text\/xsl|application\/xslt\+xml)/i;

/** What a page of this origin would run; the Control UI's own come from the Worker's assets. */
const RUNNING_DESTINATIONS = new Set([
  "audioworklet",
  "fencedframe",
  "manifest",
  "paintworklet",
  "script",
  "serviceworker",
  "sharedworker",
  "speculationrules",
  "worker",
  "xslt",
]);

/** Paths of the Worker that a redirect of the sandbox must not lead to. */
const PRIVILEGED = /^\/(?:_admin|_moltworker|api|cdp|debug|healthz)(?:\/|$)/i;

const REQUEST_DROPPED = new Set([
  "cookie",
  "cookie2",
  "forwarded",
  "proxy-authorization",
  "referer",
  "true-client-ip",
  "via",
  "x-real-ip",
]);
const REQUEST_DROPPED_PREFIXES = ["cf-", "cdn-", "x-forwarded-", "x-openclaw-", "x-envoy-"];

export type RequestVerdict = { ok: true } | { ok: false; reason: "runs_in_the_browser" };

/** Whether the browser asks for something that it would run as this origin's. */
export function judgeRequest(headers: Headers): RequestVerdict {
  const runs =
    headers.has("service-worker") ||
    RUNNING_DESTINATIONS.has(headers.get("sec-fetch-dest")?.toLowerCase() ?? "");
  return runs ? { ok: false, reason: "runs_in_the_browser" } : { ok: true };
}

/** The request's headers as the sandbox may see them. */
export function requestHeaders(headers: Headers): Headers {
  const kept = new Headers();
  for (const [name, value] of headers) {
    if (REQUEST_DROPPED.has(name)) continue;
    if (REQUEST_DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    kept.append(name, value);
  }
  return kept;
}

export type HeaderVerdict =
  | { ok: true; headers: Headers }
  | { ok: false; reason: "redirect_keeps_method" | "redirect_leaves" | "redirect_privileged" };

/**
 * The headers of a sandbox's response as the browser may see them.
 *
 * Redirects: 307 and 308 repeat a request with its body, so a call of the Control UI could be turned
 * into one of the admin API; another origin or a privileged path is refused for the same reason.
 */
export function responseHeaders(
  status: number,
  headers: Headers,
  requestUrl: string,
): HeaderVerdict {
  const kept = new Headers();
  for (const [name, value] of headers) {
    if (RESPONSE_HEADERS.has(name)) kept.append(name, value);
  }
  if (status >= 300 && status < 400 && status !== 304) {
    if (status === 307 || status === 308) return { ok: false, reason: "redirect_keeps_method" };
    const location = headers.get("location");
    if (location !== null) {
      const target = sameOriginTarget(location, requestUrl);
      if (target === undefined) return { ok: false, reason: "redirect_leaves" };
      if (isPrivileged(target)) return { ok: false, reason: "redirect_privileged" };
      kept.set("location", target);
    }
  } else {
    kept.delete("location");
  }
  const type = headers.get("content-type");
  if (type !== null && SCRIPT_TYPE.test(type))
    kept.set("content-type", "text/plain; charset=utf-8");
  if (type === null) kept.set("content-type", "application/octet-stream");
  kept.append("content-security-policy", "sandbox");
  kept.set("x-content-type-options", "nosniff");
  return { ok: true, headers: kept };
}

/** Undefined when the handshake answer may pass as it is, otherwise the headers to send instead. */
export function upgradeHeaders(headers: Headers): Headers | undefined {
  if ([...headers.keys()].every((name) => UPGRADE_HEADERS.has(name))) return undefined;
  return new Headers([...headers].filter(([name]) => UPGRADE_HEADERS.has(name)));
}

/**
 * The path of a `Location` on the request's own origin. The host is compared without the scheme,
 * because a gateway behind two proxies may not know that the outside speaks https.
 */
function sameOriginTarget(location: string, requestUrl: string): string | undefined {
  if (!URL.canParse(location, requestUrl)) return undefined;
  const target = new URL(location, requestUrl);
  if (target.protocol !== "http:" && target.protocol !== "https:") return undefined;
  if (target.host !== new URL(requestUrl).host || target.username !== "") return undefined;
  // Two leading slashes would be read as a host again.
  return `${target.pathname.replace(/^\/{2,}/, "/")}${target.search}${target.hash}`;
}

function isPrivileged(target: string): boolean {
  let path = target.split(/[?#]/, 1)[0] ?? "";
  for (let round = 0; round < 3; round += 1) {
    try {
      path = decodeURIComponent(path);
    } catch {
      return true;
    }
  }
  return PRIVILEGED.test(path.replace(/[\\/]+/g, "/"));
}
