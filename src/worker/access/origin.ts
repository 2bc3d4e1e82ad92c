/**
 * Whether a request that carries a cookie was made by our own page. Fails closed: a browser says
 * where a request comes from, and what says nothing is refused unless it only opens a page.
 */

/** The origin people see: a listed one with this host (a proxy may end TLS), else the request's own. */
export function publicOrigin(url: URL, listed: readonly string[]): string {
  return listed.find((origin) => new URL(origin).host === url.host) ?? url.origin;
}

export type OriginCheck =
  | { ok: true }
  | { ok: false; reason: "cross-origin" | "unknown-origin"; seen: string };

/** Made by a page of another site, as the browser says; programs say nothing. */
export function isForeign({ headers }: Pick<Request, "headers">, own: readonly string[]): boolean {
  const origin = headers.get("origin");
  return origin !== null && !own.includes(origin);
}

/**
 * @param own the origins that count as this one
 *
 * Reads pass from our own pages, from a typed address, and as a top-level navigation from anywhere.
 * Everything else needs proof of the same origin: a matching `Origin`, or `Sec-Fetch-Site`.
 */
export function checkOrigin(
  request: Pick<Request, "method" | "headers">,
  own: readonly string[],
): OriginCheck {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  const refused = (seen: string): OriginCheck => ({ ok: false, reason: "cross-origin", seen });

  if (origin !== null && !own.includes(origin)) return refused(origin);
  if (request.headers.has("upgrade")) {
    return origin === null ? { ok: false, reason: "unknown-origin", seen: "" } : { ok: true };
  }
  if (request.method === "GET" || request.method === "HEAD") {
    const opensPage =
      request.headers.get("sec-fetch-mode") === "navigate" &&
      request.headers.get("sec-fetch-dest") === "document";
    if (site === null || site === "same-origin" || site === "none" || opensPage)
      return { ok: true };
    return refused(site);
  }
  if (site !== null && site !== "same-origin") return refused(site);
  if (origin !== null || site === "same-origin") return { ok: true };
  return { ok: false, reason: "unknown-origin", seen: "" };
}
