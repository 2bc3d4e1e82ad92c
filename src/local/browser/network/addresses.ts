/**
 * Addresses that a page must not reach through this machine. Fails closed: what is no plain address
 * of the public internet is forbidden.
 */
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** From the IANA special-purpose registry (RFC 6890 and its updates), and what clouds add to it. */
const FORBIDDEN_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  // Azure's host, which hands out credentials like the metadata address.
  ["168.63.129.16", 32],
];

/** Global unicast is 2000::/3; these parts of it carry other addresses inside or are not routed. */
const FORBIDDEN_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const forbidden = new BlockList();
for (const [network, prefix] of FORBIDDEN_IPV4) forbidden.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of FORBIDDEN_IPV6) forbidden.addSubnet(network, prefix, "ipv6");
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/** @param address in the form that a resolver or a socket gives, without brackets */
export function isForbiddenAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return forbidden.check(address, "ipv4") || isOwn(address);
    case 6:
      // IPv4 in IPv6 (::ffff:0:0/96, 64:ff9b::/96) lies outside of global unicast.
      return (
        !globalUnicast.check(address, "ipv6") || forbidden.check(address, "ipv6") || isOwn(address)
      );
    default:
      return true;
  }
}

/** What listens on all interfaces of this machine is reachable by its public address as well. */
function isOwn(address: string): boolean {
  const same = new BlockList();
  same.addAddress(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((own) =>
      same.check(own.address.replace(/%.*$/, ""), own.family === "IPv6" ? "ipv6" : "ipv4"),
    ),
  );
}
