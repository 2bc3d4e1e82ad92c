import { describe, expect, test } from "vitest";
import { createFailureLimiter } from "./failures.ts";
import { checkOrigin, publicOrigin } from "./origin.ts";
import { createAppKeeper, createSessionKeeper, SESSION_SECONDS } from "./session.ts";
import { sameSecret } from "./token.ts";

const NOW = 1_800_000_000_000;
const OWN = ["https://a.example"];

test.each([
  ["a", "a", true],
  ["a", "b", false],
  ["a", "aa", false],
  ["", "", false],
])("secret %j against %j is %s", async (given, expected, same) => {
  expect(await sameSecret(given, expected)).toBe(same);
});

describe("a session", () => {
  const keeper = createSessionKeeper("secret", "main");

  test("lives for a day and not a moment longer", async () => {
    const value = await keeper.issue(NOW);
    const end = NOW + SESSION_SECONDS * 1000;
    expect(await keeper.check(value, end - 1)).toEqual({ ok: true, issuedAt: NOW });
    expect(await keeper.check(value, end)).toEqual({ ok: false, reason: "expired" });
  });

  test("with any character changed is none", async () => {
    const value = await keeper.issue(NOW);
    for (let index = 0; index < value.length; index += 1) {
      const other = value[index] === "A" ? "B" : "A";
      const changed = value.slice(0, index) + other + value.slice(index + 1);
      // The last base64 character holds two bits that decode to nothing.
      if (index === value.length - 1) continue;
      expect((await keeper.check(changed, NOW)).ok).toBe(false);
    }
  });

  test("of another subject or secret is none", async () => {
    const value = await keeper.issue(NOW);
    expect((await createSessionKeeper("secret", "admin").check(value, NOW)).ok).toBe(false);
    expect((await createSessionKeeper("other", "main").check(value, NOW)).ok).toBe(false);
  });
});

describe("the credential of an app", () => {
  const keeper = createAppKeeper("secret", "main");

  test("has no end of its own", async () => {
    const value = await keeper.issue(NOW);
    const years = 10 * 365 * 24 * 3_600_000;
    expect(await keeper.check(value, NOW + years)).toEqual({ ok: true, issuedAt: NOW });
  });

  test("is no session, and a session is no credential", async () => {
    const session = createSessionKeeper("secret", "main");
    const value = await keeper.issue(NOW);
    expect((await session.check(value, NOW)).ok).toBe(false);
    expect((await session.check(value.replace(/^a1/, "v1"), NOW)).ok).toBe(false);
    const other = await session.issue(NOW);
    expect((await keeper.check(other, NOW)).ok).toBe(false);
    expect((await keeper.check(other.replace(/^v1/, "a1"), NOW)).ok).toBe(false);
  });

  test("of another subject or secret is none", async () => {
    const value = await keeper.issue(NOW);
    expect((await createAppKeeper("secret", "admin").check(value, NOW)).ok).toBe(false);
    expect((await createAppKeeper("other", "main").check(value, NOW)).ok).toBe(false);
  });
});

describe("origin", () => {
  test.each([
    ["GET", {}, true],
    ["GET", { "Sec-Fetch-Site": "none" }, true],
    ["GET", { "Sec-Fetch-Site": "same-origin" }, true],
    ["GET", { "Sec-Fetch-Site": "same-site" }, false],
    [
      "GET",
      { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate" },
      false,
    ],
    [
      "GET",
      {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Mode": "navigate",
      },
      true,
    ],
    ["GET", { Origin: "https://b.example" }, false],
    ["POST", {}, false],
    ["POST", { Origin: "https://a.example" }, true],
    ["POST", { Origin: "https://a.example:444" }, false],
    ["POST", { Origin: "http://a.example" }, false],
    ["POST", { Origin: "null" }, false],
    ["POST", { "Sec-Fetch-Site": "same-origin" }, true],
    ["POST", { "Sec-Fetch-Site": "none" }, false],
    ["DELETE", { Origin: "https://a.example", "Sec-Fetch-Site": "same-site" }, false],
    ["GET", { Upgrade: "websocket" }, false],
    ["GET", { Upgrade: "websocket", Origin: "https://a.example" }, true],
    ["GET", { Upgrade: "websocket", "Sec-Fetch-Site": "same-origin" }, false],
  ])("%s with %j passes: %s", (method, headers, ok) => {
    const asked = { method, headers: new Headers(Object.entries(headers)) };
    expect(checkOrigin(asked, OWN).ok).toBe(ok);
  });

  test("a proxy that ends TLS is known by WORKER_URL", () => {
    const url = new URL("http://a.example/");
    expect(publicOrigin(url, ["https://b.example", "https://a.example"])).toBe("https://a.example");
    expect(publicOrigin(url, ["https://b.example"])).toBe("http://a.example");
  });
});

describe("failures", () => {
  test("ten in a minute close the door until the minute is over, for this client", () => {
    const limiter = createFailureLimiter();
    for (let count = 0; count < 9; count += 1) limiter.failed("1.2.3.4", NOW);
    expect(limiter.retryAfter("1.2.3.4", NOW)).toBeUndefined();
    limiter.failed("1.2.3.4", NOW + 30_000);
    expect(limiter.retryAfter("1.2.3.4", NOW + 30_000)).toBe(30);
    expect(limiter.retryAfter("1.2.3.5", NOW + 30_000)).toBeUndefined();
    expect(limiter.retryAfter("1.2.3.4", NOW + 60_000)).toBeUndefined();
  });

  test("one IPv6 network is one client", () => {
    const limiter = createFailureLimiter();
    for (let count = 0; count < 10; count += 1) limiter.failed(`2001:db8:1:2::${count}`, NOW);
    expect(limiter.retryAfter("2001:db8:1:2:ffff::1", NOW)).toBe(60);
    expect(limiter.retryAfter("2001:db8:1:3::1", NOW)).toBeUndefined();
  });

  test("memory stays bounded under many addresses", () => {
    const limiter = createFailureLimiter();
    for (let count = 0; count < 10; count += 1) limiter.failed("1.1.1.1", NOW);
    for (let count = 0; count < 6000; count += 1) limiter.failed(`c${count}`, NOW);
    expect(limiter.retryAfter("1.1.1.1", NOW)).toBeUndefined();
  });
});
