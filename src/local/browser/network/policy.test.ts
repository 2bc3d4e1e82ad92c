import { describe, expect, it } from "vitest";
import { parsePattern } from "../../../worker/egress/pattern.ts";
import { isForbiddenAddress } from "./addresses.ts";
import { type BrowserPolicy, decideHost } from "./policy.ts";

function policy(lists: Partial<Record<keyof BrowserPolicy, string>> = {}): BrowserPolicy {
  const patterns = (text = "") =>
    text.split(" ").flatMap((one) => {
      const parsed = parsePattern(one);
      return parsed.ok ? [parsed.pattern] : [];
    });
  return {
    allow: patterns(lists.allow),
    deny: patterns(lists.deny),
    private: patterns(lists.private),
  };
}

const verdict = (host: string, port: number, lists: Parameters<typeof policy>[0] = {}): string => {
  const decided = decideHost(host, port, policy(lists));
  return decided.ok ? (decided.anyAddress ? "any address" : "public") : decided.reason;
};

describe("which hosts the browser may ask for", () => {
  it.each([
    ["example.org", 443, {}, "public"],
    ["EXAMPLE.org.", 443, {}, "public"],
    ["printer", 80, {}, "internal-name"],
    ["db.internal", 80, {}, "internal-name"],
    ["ai.moltworker.internal", 80, {}, "internal-name"],
    ["a b", 80, {}, "not-a-host"],
    ["example.org", 443, { allow: "example.org" }, "public"],
    ["www.example.org", 443, { allow: "example.org" }, "not-allowed"],
    ["www.example.org", 443, { allow: "*.example.org" }, "public"],
    ["example.org", 8443, { allow: "example.org:443" }, "not-allowed"],
    ["evil.example", 443, { allow: "example.org" }, "not-allowed"],
    ["ads.example.org", 443, { deny: "ads.example.org" }, "denied"],
    ["ads.example.org", 443, { allow: "*.example.org", deny: "ads.example.org" }, "denied"],
    ["192.168.1.20", 8080, { private: "192.168.1.20:8080" }, "any address"],
    ["192.168.1.20", 80, { private: "192.168.1.20:8080" }, "public"],
    ["192.168.1.20", 8080, { private: "192.168.1.20", deny: "192.168.1.20" }, "denied"],
    // Another spelling of an address is the same address.
    ["0xC0A80114", 8080, { private: "192.168.1.20:8080" }, "any address"],
    ["3232235796", 8080, { deny: "192.168.1.20" }, "denied"],
  ])("%s:%i with %j: %s", (host, port, lists, expected) => {
    expect(verdict(host, port, lists)).toBe(expected);
  });
});

describe("which addresses it may be led to", () => {
  it.each(["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::200e"])(
    "%s is public",
    (address) => {
      expect(isForbiddenAddress(address)).toBe(false);
    },
  );

  it.each([
    ..."0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 169.254.169.254 172.31.255.255 192.0.2.1".split(" "),
    ..."192.168.1.1 198.18.0.1 203.0.113.5 224.0.0.1 240.0.0.1 255.255.255.255".split(" "),
    ...":: ::1 ::ffff:8.8.8.8 64:ff9b::808:808 fc00::1 fe80::1 ff02::1 2001:db8::1".split(" "),
    ..."2002:7f00:1:: 3fff::1 2001::1 fd00:ec2::254 168.63.129.16".split(" "),
    ...["", "localhost", "127.1", "0x7f000001", "8.8.8.8.", "[::1]"],
  ])("%s is not", (address) => {
    expect(isForbiddenAddress(address)).toBe(true);
  });
});
