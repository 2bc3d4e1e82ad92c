import { describe, expect, it } from "vitest";
import { judgeRequest, requestHeaders, responseHeaders, upgradeHeaders } from "./hostile.ts";

const url = "https://agent.example/page";

function passed(status: number, headers: [string, string][]): Headers {
  const verdict = responseHeaders(status, new Headers(headers), url);
  if (!verdict.ok) throw new Error(verdict.reason);
  return verdict.headers;
}

describe("a response of the sandbox", () => {
  it.each([
    "Set-Cookie",
    "Set-Cookie2",
    "Service-Worker-Allowed",
    "Clear-Site-Data",
    "Strict-Transport-Security",
    "Public-Key-Pins",
    "NEL",
    "Report-To",
    "Reporting-Endpoints",
    "Content-Security-Policy-Report-Only",
    "Alt-Svc",
    "Link",
    "Refresh",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Timing-Allow-Origin",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Speculation-Rules",
    "Accept-CH",
    "Critical-CH",
    "Origin-Agent-Cluster",
    "SourceMap",
    "Use-As-Dictionary",
    "Sec-Session-Registration",
    "Set-Login",
    "Activate-Storage-Access",
    "CDN-Cache-Control",
    "X-Forwarded-Host",
    "X-Moltworker-Client",
    "Server",
    "X-Powered-By",
    "Location",
  ])("loses %s", (name) => {
    expect(passed(200, [[name, "x"]]).has(name)).toBe(false);
  });

  it.each([
    ["Content-Type", "image/png"],
    ["Content-Length", "12"],
    ["Content-Disposition", 'attachment; filename="a.txt"'],
    ["Cache-Control", "private, max-age=60"],
    ["ETag", '"1"'],
    ["Retry-After", "3"],
  ])("keeps %s", (name, value) => {
    expect(passed(200, [[name, value]]).get(name)).toBe(value);
  });

  it("is sandboxed beside whatever policy it names itself", () => {
    const headers = passed(200, [["content-security-policy", "sandbox allow-scripts"]]);
    expect(headers.get("content-security-policy")).toBe("sandbox allow-scripts, sandbox");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("is never sniffed: without a type it is bytes", () => {
    expect(passed(200, []).get("content-type")).toBe("application/octet-stream");
  });

  it.each([
    "text/javascript",
    "text/javascript; charset=utf-8",
    "application/javascript",
    "application/x-javascript",
    "text/ecmascript",
    "text/jscript",
    "text/livescript",
    "text/x-ecmascript",
    "text/javascript1.5",
    "  Text/JavaScript",
    "application/wasm",
    "application/manifest+json",
    "application/speculationrules+json",
  ])("is not a script although it says %s", (type) => {
    expect(passed(200, [["content-type", type]]).get("content-type")).toMatch(/^text\/plain/);
  });

  it.each([
    ["/chat", "/chat"],
    ["next?x=1#y", "/next?x=1#y"],
    ["http://agent.example/a", "/a"],
    ["https://agent.example//evil.example", "/evil.example"],
    ["/apix", "/apix"],
  ])("may redirect to %s", (location, seen) => {
    expect(passed(302, [["location", location]]).get("location")).toBe(seen);
  });

  it.each([
    ["https://evil.example/", "redirect_leaves"],
    ["//evil.example/", "redirect_leaves"],
    ["/\\evil.example", "redirect_leaves"],
    ["https://agent.example:8443/", "redirect_leaves"],
    ["https://user@agent.example/", "redirect_leaves"],
    ["javascript:alert(1)", "redirect_leaves"],
    ["data:text/html,x", "redirect_leaves"],
    ["/_admin/", "redirect_privileged"],
    ["/%5fadmin/", "redirect_privileged"],
    ["/%255fadmin", "redirect_privileged"],
    ["/x/../_admin/", "redirect_privileged"],
    ["/%2f_admin", "redirect_privileged"],
    ["/_moltworker/session", "redirect_privileged"],
    ["/debug", "redirect_privileged"],
    ["/%", "redirect_privileged"],
    ["/cdp/json", "redirect_privileged"],
    ["/api/agent/restart", "redirect_privileged"],
  ])("must not redirect to %s", (location, reason) => {
    expect(responseHeaders(302, new Headers({ location }), url)).toEqual({ ok: false, reason });
  });

  it.each([307, 308])("must not repeat a request elsewhere by %i", (status) => {
    expect(responseHeaders(status, new Headers({ location: "/chat" }), url)).toEqual({
      ok: false,
      reason: "redirect_keeps_method",
    });
  });
});

describe("a handshake answer", () => {
  it("passes as it is when it holds only what a handshake needs", () => {
    const plain = new Headers({ upgrade: "websocket", "sec-websocket-accept": "x" });
    expect(upgradeHeaders(plain)).toBeUndefined();
  });
  it("loses everything else", () => {
    const headers = new Headers({ "sec-websocket-protocol": "chat", "set-cookie": "a=b" });
    expect([...(upgradeHeaders(headers) ?? [])]).toEqual([["sec-websocket-protocol", "chat"]]);
  });
});

describe("a request to the sandbox", () => {
  it.each([
    ["service-worker", "script"],
    ["sec-fetch-dest", "serviceworker"],
    ["sec-fetch-dest", "sharedworker"],
    ["sec-fetch-dest", "worker"],
    ["sec-fetch-dest", "script"],
    ["sec-fetch-dest", "Worker"],
  ])("is refused with %s: %s", (name, value) => {
    expect(judgeRequest(new Headers({ [name]: value })).ok).toBe(false);
  });
  it.each(["document", "iframe", "image", "empty", "audio", "video", "websocket"])(
    "passes for %s",
    (dest) => {
      expect(judgeRequest(new Headers({ "sec-fetch-dest": dest })).ok).toBe(true);
    },
  );
  it.each([
    "Cookie",
    "Proxy-Authorization",
    "Referer",
    "Cf-Access-Jwt-Assertion",
    "Cf-Access-Client-Secret",
    "Cf-Connecting-Ip",
    "X-Forwarded-For",
    "X-Real-Ip",
    "Forwarded",
    "X-Openclaw-Scopes",
  ])("loses %s", (name) => {
    expect(requestHeaders(new Headers({ [name]: "x" })).has(name)).toBe(false);
  });
  it.each(["Authorization", "Content-Type", "X-Moltworker-Client", "Origin", "Upgrade"])(
    "keeps %s",
    (name) => {
      expect(requestHeaders(new Headers({ [name]: "x" })).get(name)).toBe("x");
    },
  );
});
