import * as fc from "fast-check";
import { expect, test } from "vitest";
import { INTERNAL_HOSTS } from "../../protocol/names.ts";
import { parsePattern, type HostPattern } from "./pattern.ts";
import { decide } from "./policy.ts";

function patterns(text: string): HostPattern[] {
  return text.split(" ").flatMap((entry) => {
    const parsed = parsePattern(entry);
    return parsed.ok ? [parsed.pattern] : [];
  });
}
const ALLOW = patterns(
  "example.org *.example.net api.example.com:443 127.0.0.1:9000 localhost:9001",
);

test.each([
  ["https://example.org/", "internet"],
  ["http://example.org/", "internet"],
  ["https://EXAMPLE.org./x", "internet"],
  ["https://www.example.org/", "nowhere"],
  ["https://evilexample.org/", "nowhere"],
  ["https://example.org.evil.example/", "nowhere"],
  ["https://a.example.net/", "internet"],
  ["https://a.b.example.net/", "internet"],
  ["https://example.net/", "nowhere"],
  ["https://aexample.net/", "nowhere"],
  ["https://api.example.com/", "internet"],
  ["http://api.example.com/", "nowhere"],
  ["http://127.0.0.1:9000/", "internet"],
  ["http://0x7f.1:9000/", "internet"],
  ["http://127.0.0.1/", "nowhere"],
  ["http://127.0.0.2:9000/", "nowhere"],
  ["http://localhost:9001/", "internet"],
  ["http://localhost/", "nowhere"],
  ["http://169.254.169.254/", "nowhere"],
  ["http://[::1]/", "nowhere"],
  ["http://[fd00::1]/", "nowhere"],
  ["http://ai.moltworker.internal/anthropic/v1/messages", "internal"],
  ["http://AI.moltworker.internal/", "internal"],
  ["http://ai.moltworker.internal./", "nowhere"],
  ["https://ai.moltworker.internal/", "nowhere"],
  ["http://ai.moltworker.internal:8080/", "nowhere"],
  ["http://x.ai.moltworker.internal/", "nowhere"],
  ["http://moltworker.internal/", "nowhere"],
  ["ftp://example.org/", "nowhere"],
  ["http://user:pw@evil.example/", "nowhere"],
])("%s goes %s", (address, to) => {
  expect(decide(new URL(address), ALLOW).to).toBe(to);
});

test.each([
  "http://a.local/",
  "http://a.b.internal/",
  "http://x.localhost/",
  "http://printer.lan/",
])("a wildcard never stands for a private name: %s", (address) => {
  const wide: HostPattern[] = [
    { kind: "below", host: "local" },
    { kind: "below", host: "internal" },
    { kind: "below", host: "b.internal" },
    { kind: "below", host: "localhost" },
    { kind: "below", host: "lan" },
  ];
  expect(decide(new URL(address), wide).to).toBe("nowhere");
});

test("an internal name cannot be opened or shadowed by a pattern", () => {
  for (const name of Object.values(INTERNAL_HOSTS)) {
    const all = patterns(`${name} *.moltworker.internal`);
    expect(decide(new URL(`http://${name}/`), all).to).toBe("internal");
    expect(decide(new URL(`https://${name}/`), all).to).toBe("nowhere");
  }
});

test("with nothing listed nothing leaves", () => {
  fc.assert(
    fc.property(fc.webUrl(), (address) => {
      expect(decide(new URL(address), []).to).toBe("nowhere");
    }),
  );
});

test("what is allowed is a listed host or lies below a listed one", () => {
  const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  fc.assert(
    fc.property(
      fc.array(label, { minLength: 1, maxLength: 3 }),
      fc.constantFrom("example.org", "example.net", "evil.example"),
      (labels, base) => {
        const host = `${labels.join(".")}.${base}`;
        const decision = decide(new URL(`https://${host}/`), ALLOW);
        expect(decision.to).toBe(base === "example.net" ? "internet" : "nowhere");
      },
    ),
  );
});
