/**
 * What of a request goes on to the sandbox. Fails closed: every header that says who the client is
 * or that we use ourselves is removed before ours are set, and no credential of the edge passes.
 */
import type { Holder } from "./gate.ts";
import { APP_HEADER, SESSION_HEADER } from "./session.ts";

const DROPPED_PREFIXES = ["x-forwarded-", "x-openclaw-", "x-moltworker-", "cf-", "mf-"];
const DROPPED = new Set([
  "cookie",
  "forwarded",
  "true-client-ip",
  "via",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-original-url",
  "x-real-ip",
  "x-rewrite-url",
]);

export interface Forwarding {
  url: URL;
  /** The client's address as the edge saw it. */
  client: string;
  publicOrigin: string;
  /** Credentials that must not travel on, whatever header or parameter carries them. */
  secrets: readonly string[];
  /** By what the request was let in. */
  holder: Holder;
  /** Drop `?token=` whatever it holds. */
  dropTokenParam: boolean;
}

export function forwardable(request: Request, forwarding: Forwarding): Request {
  const { sessionIssuedAt, app } = forwarding.holder;
  const headers = new Headers();
  for (const [name, value] of request.headers) {
    const dropped = DROPPED.has(name) || DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));
    if (!dropped && !holds(value, forwarding.secrets)) headers.set(name, value);
  }
  const origin = new URL(forwarding.publicOrigin);
  headers.set("x-moltworker-client", forwarding.client);
  headers.set("x-moltworker-proto", origin.protocol.slice(0, -1));
  headers.set("x-moltworker-host", origin.host);
  if (sessionIssuedAt !== undefined) headers.set(SESSION_HEADER, String(sessionIssuedAt));
  if (app !== undefined) headers.set(APP_HEADER, app.id);
  return new Request(withoutToken(forwarding), {
    method: request.method,
    headers,
    body: request.body,
    redirect: "manual",
    signal: request.signal,
  });
}

/** The other parameters keep their exact spelling. */
function withoutToken({ url, secrets, dropTokenParam }: Forwarding): string {
  const kept = url.search
    .slice(1)
    .split("&")
    .filter((pair) =>
      [...new URLSearchParams(pair)].every(
        ([name, value]) => !(dropTokenParam && name === "token") && !holds(value, secrets),
      ),
    );
  const query = kept.join("&");
  return `${url.origin}${url.pathname}${query === "" ? "" : `?${query}`}`;
}

/** Stands for an address nobody told: reserved for documentation (RFC 5737), so never a client's. */
export const NO_ADDRESS = "192.0.2.1";

function holds(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret));
}
