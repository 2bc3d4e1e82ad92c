/** One entry of `EGRESS_ALLOW`, already normalised. */
export interface HostPattern {
  /** `exact` matches the host itself, `below` every name under it and not the name itself. */
  kind: "exact" | "below";
  host: string;
  /** Only this port; any of the intercepted ones (80 and 443) when absent. */
  port?: number;
}

export type ParsedPattern = { ok: true; pattern: HostPattern } | { ok: false; problem: string };

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Reads one pattern: `example.org`, `*.example.org`, an IP literal, each with an optional port.
 *
 * A wildcard needs two labels after it, so that no entry opens a whole top-level domain.
 */
export function parsePattern(text: string): ParsedPattern {
  const value = text.trim().toLowerCase();
  const [, body = "", portText] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(value) ?? [];
  const port = portText === undefined ? undefined : Number(portText);
  if (body === "") return { ok: false, problem: "is not a host name" };
  if (port !== undefined && (port < 1 || port > 65_535)) {
    return { ok: false, problem: "has a port outside 1 to 65535" };
  }
  const below = body.startsWith("*.");
  const host = normaliseHost(below ? body.slice(2) : body);
  if (host === undefined || host.includes("*")) return { ok: false, problem: "is not a host name" };
  if (below && (isIpLiteral(host) || !host.includes("."))) {
    return { ok: false, problem: "has a wildcard that is too wide" };
  }
  return {
    ok: true,
    pattern: { kind: below ? "below" : "exact", host, ...(port === undefined ? {} : { port }) },
  };
}

/**
 * The one spelling of a host that rules are compared in: lower case, no trailing dot, IP literals in
 * the URL standard's form (so `0x7f.1` is `127.0.0.1`). Undefined when it is not a host at all.
 */
export function normaliseHost(host: string): string | undefined {
  const url = URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`) : undefined;
  if (url === undefined || url.username !== "" || url.port !== "" || url.pathname !== "/") {
    return undefined;
  }
  const name = url.hostname.replace(/\.$/, "");
  if (isIpLiteral(name)) return name;
  if (name.length > 253 || !name.split(".").every((label) => LABEL.test(label))) return undefined;
  return name;
}

export function isIpLiteral(host: string): boolean {
  return host.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}
