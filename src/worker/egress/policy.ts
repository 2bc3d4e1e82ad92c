/**
 * What may leave the sandbox: pure, fails closed. A host is allowed only by a pattern a person
 * wrote; everything else, and everything that is not plainly a host, is refused.
 */
import { INTERNAL_HOSTS, type InternalHost } from "../../protocol/names.ts";
import { isIpLiteral, normaliseHost, type HostPattern } from "./pattern.ts";

export type Decision =
  | { to: "internal"; host: InternalHost }
  | { to: "internet"; host: string }
  | { to: "nowhere"; host: string; reason: "not-allowed" | "not-a-host" };

/** Names that resolve to machines of ours or of the operator's network, never to the internet. */
const PRIVATE_NAMES = ["localhost", "internal", "local", "localdomain", "home.arpa", "lan"];

/** @param url of the intercepted request */
export function decide(url: URL, allow: readonly HostPattern[]): Decision {
  const host = normaliseHost(url.hostname);
  if (host === undefined || !/^https?:$/.test(url.protocol)) {
    return { to: "nowhere", host: "", reason: "not-a-host" };
  }
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  // The plain spelling only: `ai.moltworker.internal.` is another name to whoever resolves it.
  const internal = Object.values(INTERNAL_HOSTS).find((name) => name === url.hostname);
  if (internal !== undefined && url.protocol === "http:" && port === 80) {
    return { to: "internal", host: internal };
  }
  const listed = host.endsWith(".moltworker.internal")
    ? false
    : allow.some((pattern) => matches(pattern, host, port));
  return listed ? { to: "internet", host } : { to: "nowhere", host, reason: "not-allowed" };
}

export function matches(pattern: HostPattern, host: string, port: number): boolean {
  if (pattern.port !== undefined && pattern.port !== port) return false;
  if (pattern.kind === "exact") return pattern.host === host;
  // A wildcard stands for names on the internet; a machine of one's own has to be listed itself.
  return !isIpLiteral(host) && !isPrivateName(host) && host.endsWith(`.${pattern.host}`);
}

export function isPrivateName(host: string): boolean {
  return PRIVATE_NAMES.some((name) => host === name || host.endsWith(`.${name}`));
}
