import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { type AgentRig, startAgentRig } from "../support/agent-rig.ts";

const DEVICE = "ab".repeat(32);
let rig: AgentRig;
beforeAll(async () => {
  rig = await startAgentRig();
  await rig.scenario({
    pending: [{ requestId: "r1", deviceId: DEVICE, displayName: "Laptop", ts: 1 }],
  });
  await rig.call("start");
});
afterAll(() => rig.close());

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(new URL(path, rig.url), { headers, redirect: "manual" });
}

/** What the browser gets when the sandbox answers this. */
function served(answer: { status: number; headers: object; body?: string }): Promise<Response> {
  return get(`/serve?answer=${encodeURIComponent(JSON.stringify(answer))}`);
}

describe("a hostile sandbox", () => {
  it("cannot plant a cookie, a policy or a report address, and is sandboxed", async () => {
    const answer = await served({
      status: 200,
      headers: {
        "content-type": "text/html",
        "set-cookie": ["moltworker_session=x; Path=/", "b=c"],
        "service-worker-allowed": "/",
        "clear-site-data": '"cookies"',
        "strict-transport-security": "max-age=99999999",
        "access-control-allow-origin": "https://evil.example",
        nel: "{}",
        link: "</x>; rel=preload",
        refresh: "0; url=https://evil.example",
        "content-security-policy": "default-src *",
      },
      body: "<script>alert(1)</script>",
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.headers.get("content-security-policy")).toBe("default-src *, sandbox");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(
      [...answer.headers.keys()].filter((name) =>
        /^(access|clear|nel|link|refresh|service|strict)/.test(name),
      ),
    ).toEqual([]);
    expect(await answer.text()).toBe("<script>alert(1)</script>");
  });

  it("cannot send a browser elsewhere or repeat its request", async () => {
    for (const [status, location] of [
      [302, "https://evil.example/"],
      [302, "/_admin/"],
      [307, "/chat"],
    ] as const) {
      const answer = await served({ status, headers: { location } });
      expect(answer.status).toBe(502);
      expect(answer.headers.get("location")).toBeNull();
    }
    const fine = await served({ status: 302, headers: { location: "/chat" } });
    expect([fine.status, fine.headers.get("location")]).toEqual([302, "/chat"]);
  });

  it.each([
    { "service-worker": "script" },
    { "sec-fetch-dest": "serviceworker" },
    { "sec-fetch-dest": "script" },
  ])("is not asked for what a browser would run: %o", async (headers) => {
    const answer = await get("/sw.js", headers);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: "runs_in_the_browser" } });
  });

  it("cannot plant a cookie in a handshake either", async () => {
    const url = new URL("/cookie", rig.url);
    url.protocol = "ws:";
    const client = new WebSocket(url);
    const [[response]] = await Promise.all([once(client, "upgrade"), once(client, "open")]);
    expect(response.headers["set-cookie"]).toBeUndefined();
    client.send("still works");
    expect(String((await once(client, "message"))[0])).toBe("still works");
    client.close();
  });
});

describe("a request", () => {
  it("reaches the sandbox without the edge's credentials and names", async () => {
    const answer = await get("/seen?a=1&b=%2F", {
      cookie: "moltworker_session=secret",
      referer: "http://x/?token=secret",
      authorization: "Bearer inner",
      "cf-access-jwt-assertion": "secret",
      "x-forwarded-for": "6.6.6.6",
      "x-moltworker-client": "192.0.2.7",
    });
    const seen = z
      .object({ url: z.string(), headers: z.record(z.string(), z.string()) })
      .parse(await answer.json());
    expect(seen.url).toBe("/seen?a=1&b=%2F");
    expect(seen.headers).toMatchObject({
      authorization: "Bearer inner",
      "x-moltworker-client": "192.0.2.7",
    });
    expect(JSON.stringify(seen)).not.toMatch(/secret|6\.6\.6\.6/);
  });

  it("carries its body both ways", async () => {
    const body = "x".repeat(3_000_000);
    const answer = await fetch(new URL("/upload", rig.url), { method: "PUT", body });
    expect(await answer.json()).toMatchObject({ length: 3_000_000 });
  });

  it.each([204, 304])("answered with %i has no body", async (status) => {
    expect((await served({ status, headers: { etag: '"1"' } })).status).toBe(status);
  });

  it("that would change something is not sent twice when the sandbox dies of it", async () => {
    const before = (await rig.log()).filter((line) => line === "start").length;
    const answer = await fetch(new URL("/exit?code=4", rig.url), { method: "POST" });
    expect(answer.status).toBe(502);
    const status = await rig.until(({ phase }) => phase === "ready");
    expect(status.events?.some(({ text }) => text.includes("exit code 4"))).toBe(true);
    expect((await rig.log()).filter((line) => line === "start")).toHaveLength(before + 1);
  });
});

describe("devices", () => {
  it("are recorded first, pushed to the front port, then approved", async () => {
    expect(await rig.call("devices.list")).toMatchObject({
      pending: [{ deviceId: DEVICE, name: "Laptop", requestedAt: 1 }],
      paired: [],
    });
    expect(await rig.call("devices.approve", DEVICE, "me")).toEqual({ ok: true });
    expect(await rig.call("devices.list")).toMatchObject({
      pending: [],
      paired: [{ deviceId: DEVICE, recorded: true, approvedBy: "me", name: "Laptop" }],
    });
    expect(await rig.call("devices.rename", DEVICE, "Desk")).toEqual({ ok: true });
    expect(await rig.call("devices.list")).toMatchObject({ paired: [{ name: "Desk" }] });
    await rig.call("restart");
    expect((await rig.log()).findLast((line) => line.startsWith("boot"))).toMatch(/ 1$/);
    expect(await rig.call("devices.remove", DEVICE)).toEqual({ ok: true });
    expect((await rig.log()).at(-1)).toBe("devices ");
  });

  it("are rolled back when the gateway refuses the approval", async () => {
    await rig.scenario({ pending: [{ requestId: "r2", deviceId: DEVICE }], approveFails: true });
    await rig.call("restart");
    expect(await rig.call("devices.approve", DEVICE, "me")).toEqual({
      ok: false,
      reason: "REFUSED: the gateway refuses",
    });
    expect((await rig.log()).slice(-2)).toEqual(["devices abab", "devices "]);
  });

  it("are not approved when the record did not reach the front port", async () => {
    await rig.scenario({ pending: [{ requestId: "r3", deviceId: DEVICE }], devicesFail: true });
    await rig.call("restart");
    expect(await rig.call("devices.approve", DEVICE, "me")).toMatchObject({ ok: false });
    expect(await rig.call("devices.list")).toMatchObject({
      pending: [{ deviceId: DEVICE }],
      paired: [],
    });
  });

  it("that the gateway let in by itself are marked", async () => {
    await rig.scenario({ paired: [{ deviceId: DEVICE }] });
    await rig.call("restart");
    expect(await rig.call("devices.list")).toMatchObject({ paired: [{ recorded: false }] });
  });

  it("with an id that is none, or nothing pending, are refused", async () => {
    expect(await rig.call("devices.approve", "../x", "me")).toMatchObject({ ok: false });
    expect(await rig.call("devices.reject", "cd".repeat(32), "me")).toMatchObject({ ok: false });
  });
});

describe("the other calls", () => {
  it("answer without the sandbox where they can", async () => {
    const session = await rig.call("session");
    expect(session).toMatchObject({
      agentId: "main",
      gatewayToken: expect.stringMatching(/^[\w-]{43}$/),
    });
    await rig.call("restart");
    expect(await rig.call("session")).toEqual(session);
    await rig.call("egress.countRefused", "evil.example", 3);
    expect(await rig.call("egress.refusedHosts")).toMatchObject([
      { host: "evil.example", times: 3 },
    ]);
  });

  it("refuse a report without the present control token", async () => {
    const { startGeneration } = await rig.status();
    const report = { kind: "unrecorded-device", startGeneration, deviceId: DEVICE };
    for (const token of ["", "x".repeat(43)]) {
      expect(await rig.call("report", report, token)).toEqual({ ok: false, reason: "wrong-token" });
    }
  });

  it("pass on logs and processes, and fail loudly when there is no sandbox", async () => {
    expect(await rig.call("logs", { source: "gateway" })).toMatchObject([{ text: "hello" }]);
    expect(await rig.call("processes")).toMatchObject([{ name: "supervisor" }]);
    await rig.call("stop");
    await expect(rig.call("logs", { source: "gateway" })).rejects.toThrow("/v1/logs");
    expect(await rig.call("devices.list")).toEqual({ ok: false, reason: "The agent is stopped." });
    expect((await rig.status()).phase).toBe("stopped");
  });
});
