/**
 * Which hosts the browser may ask for, before any of them is resolved. Pure; fails closed.
 */
import { type HostPattern, isIpLiteral, normaliseHost } from "../../../worker/egress/pattern.ts";
import { isPrivateName, matches } from "../../../worker/egress/policy.ts";

export interface BrowserPolicy {
  /** Empty: every public host. */
  allow: readonly HostPattern[];
  /** Goes before everything else. */
  deny: readonly HostPattern[];
  /** Hosts that may lie in a private network or on this machine. */
  private: readonly HostPattern[];
}

export type HostDecision =
  | { ok: true; host: string; anyAddress: boolean }
  | { ok: false; reason: "not-a-host" | "denied" | "not-allowed" | "internal-name" };

/** @param host as the request names it: a name, an IPv4 address or an IPv6 address in brackets */
export function decideHost(host: string, port: number, policy: BrowserPolicy): HostDecision {
  const name = normaliseHost(host);
  if (name === undefined) return { ok: false, reason: "not-a-host" };
  const listed = (patterns: readonly HostPattern[]): boolean =>
    patterns.some((pattern) => matches(pattern, name, port));
  if (listed(policy.deny)) return { ok: false, reason: "denied" };
  if (listed(policy.private)) return { ok: true, host: name, anyAddress: true };
  if (policy.allow.length > 0 && !listed(policy.allow)) return { ok: false, reason: "not-allowed" };
  if (!isIpLiteral(name) && isInternalName(name)) return { ok: false, reason: "internal-name" };
  return { ok: true, host: name, anyAddress: false };
}

function isInternalName(name: string): boolean {
  // A name without a dot is completed by the search list of the network one is in.
  return !name.includes(".") || isPrivateName(name);
}
