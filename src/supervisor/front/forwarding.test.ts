import { describe, expect, it } from "vitest";
import { ANONYMOUS_CLIENT, answerHeaders, clientAddress, forwardedHeaders } from "./forwarding.ts";

describe("clientAddress", () => {
  it.each([
    undefined,
    "",
    "unknown",
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.20.0.1",
    "192.168.1.5",
    "169.254.1.1",
    "100.64.0.9",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "fe80::1%eth0",
    "fe80::1",
    "fd00::1",
    "127.0.0.1, 8.8.8.8",
    "8.8.8.8 ",
    "0177.0.0.1",
  ])("never lets %s count as an address of its own", (claimed) => {
    expect(clientAddress(claimed)).toBe(ANONYMOUS_CLIENT);
  });

  it.each(["8.8.8.8", "203.0.113.50", "2001:4860:4860::8888"])("passes %s on", (claimed) => {
    expect(clientAddress(claimed)).toBe(claimed);
  });
});

describe("forwardedHeaders", () => {
  it("replaces whatever the client says about itself", () => {
    const headers = forwardedHeaders([
      ["Host", "sandbox"],
      ["X-Forwarded-For", "127.0.0.1"],
      ["x-forwarded-user", "admin"],
      ["Forwarded", "for=127.0.0.1"],
      ["X-Real-IP", "::1"],
      ["X-OpenClaw-Scopes", "operator.admin"],
      ["Tailscale-User-Login", "admin"],
      ["x-moltworker-client", "8.8.4.4"],
      ["x-moltworker-proto", "https"],
      ["x-moltworker-host", "agent.example:8443"],
      ["Accept", "text/html"],
      ["Cookie", "a=b"],
      ["Connection", "keep-alive, X-Secret"],
      ["X-Secret", "1"],
      ["Transfer-Encoding", "chunked"],
    ]);
    expect(headers).toEqual([
      ["Host", "agent.example:8443"],
      ["Accept", "text/html"],
      ["Cookie", "a=b"],
      ["X-Forwarded-For", "8.8.4.4"],
      ["X-Forwarded-Proto", "https"],
      ["X-Forwarded-Host", "agent.example:8443"],
    ]);
  });

  it("stands in for what the Worker did not say", () => {
    expect(forwardedHeaders([["x-moltworker-host", "a b\r\nX: y"]])).toEqual([
      ["Host", "moltworker"],
      ["X-Forwarded-For", ANONYMOUS_CLIENT],
      ["X-Forwarded-Proto", "http"],
      ["X-Forwarded-Host", "moltworker"],
    ]);
  });
});

it("an answer keeps its headers, also repeated ones, but those of its connection", () => {
  const raw = ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "Connection", "close", "Keep-Alive", "5"];
  expect(answerHeaders(raw)).toEqual(["Set-Cookie", "a=1", "Set-Cookie", "b=2"]);
});
