/**
 * The headers that tell the gateway who asks. Fails closed: whatever the client address is, the
 * gateway must never take a client for local, because it approves local devices silently.
 */
import { BlockList, isIP } from "node:net";

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** RFC 5737 TEST-NET-1: stands for a client whose address is unknown or not a public one. */
export const ANONYMOUS_CLIENT = "192.0.2.1";

/** RFC 9110 section 7.6.1. The proxy speaks for itself on each side. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const IDENTITY =
  /^(?:x-forwarded(?:-.*)?|forwarded|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|via|x-openclaw-.*|x-moltworker-.*|tailscale-.*)$/;

/** Pairs out of Node's flat list of names and values. */
export function headerPairs(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    pairs.push([rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""]);
  }
  return pairs;
}

/** What goes on to the gateway: the client's own headers, and ours about the client. */
export function forwardedHeaders(inbound: HeaderList): [string, string][] {
  const first = (wanted: string) =>
    inbound.find(([name]) => name.toLowerCase() === wanted)?.[1].trim();
  const named = new Set(
    (first("connection") ?? "").split(",").map((name) => name.trim().toLowerCase()),
  );
  const kept = inbound.filter(([name]) => {
    const lower = name.toLowerCase();
    return lower !== "host" && !HOP_BY_HOP.has(lower) && !named.has(lower) && !IDENTITY.test(lower);
  });
  const host = safeHost(first("x-moltworker-host")) ?? safeHost(first("host")) ?? "moltworker";
  const proto = first("x-moltworker-proto") === "https" ? "https" : "http";
  return [
    ["Host", host],
    ...kept.map(([name, value]): [string, string] => [name, value]),
    ["X-Forwarded-For", clientAddress(first("x-moltworker-client"))],
    ["X-Forwarded-Proto", proto],
    ["X-Forwarded-Host", host],
  ];
}

/** The client's address if it is a public one, else the stand-in. */
export function clientAddress(claimed: string | undefined): string {
  if (claimed === undefined) return ANONYMOUS_CLIENT;
  const family = isIP(claimed);
  if (family === 0 || claimed.includes("%")) return ANONYMOUS_CLIENT;
  const name = family === 4 ? "ipv4" : "ipv6";
  return notPublic[name].check(claimed, name) ? ANONYMOUS_CLIENT : claimed;
}

/** Headers of an answer, without those that concern one connection only. */
export function answerHeaders(rawHeaders: readonly string[]): string[] {
  return headerPairs(rawHeaders)
    .filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()))
    .flat();
}

function safeHost(host: string | undefined): string | undefined {
  return host !== undefined && /^[a-z0-9.:[\]-]{1,255}$/i.test(host) ? host : undefined;
}

/**
 * IANA special-purpose registries. One list a family: a list with both matches an IPv4 address by
 * the IPv6 networks it can be mapped into.
 */
const notPublic = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["224.0.0.0", 3],
] as const) {
  notPublic.ipv4.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 96],
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 9],
  ["ff00::", 8],
] as const) {
  notPublic.ipv6.addSubnet(network, prefix, "ipv6");
}
