import http from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { adminCode } from "../../src/local/admin-login/code.ts";
import {
  ADMIN_SECRET,
  startWorkerServer,
  TOKEN,
  type Answer,
  type Ask,
  type WorkerServer,
} from "../support/worker-server.ts";

const HOST = "127.0.0.1:8788";
const ORIGIN = `http://${HOST}`;
const DEVICE = "ab".repeat(32);
const ASKER = { by: "local", from: "198.51.100.7" };

let worker: WorkerServer;
let session = "";
let codes = 100;

const ask = (what: Ask): Promise<Answer> =>
  worker.ask("AdminFace", { ...what, headers: { Host: HOST, ...what.headers } });
const redeem = (code: string): Promise<Answer> => ask({ path: `/_admin/login?code=${code}` });
const admin = (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) =>
  ask({
    method,
    path,
    headers: {
      Cookie: session,
      ...(method === "GET" ? {} : { Origin: ORIGIN, "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** What a stream says until it has said this. */
function readStream(address: string, path: string, until: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { Host: HOST, Cookie: session };
    const request = http.get(`http://${address}${path}`, { headers, agent: false }, (reply) => {
      let text = "";
      reply.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (!until.test(text)) return;
        request.destroy();
        resolve(text);
      });
      reply.on("end", () => resolve(text));
    });
    request.on("error", reject);
  });
}

beforeAll(async () => {
  worker = await startWorkerServer({ DEBUG_ROUTES: "true", EGRESS_ALLOW: "example.org" });
  const answer = await redeem(await adminCode(ADMIN_SECRET, 1));
  session = (answer.cookies[0] ?? "").split(";")[0] ?? "";
});
afterAll(() => worker.close());
beforeEach(() => worker.calls());

describe("the one-time link", () => {
  test("sets a strict cookie once", async () => {
    codes += 1;
    const code = await adminCode(ADMIN_SECRET, codes);
    const first = await redeem(code);
    expect(first.status).toBe(200);
    expect(first.cookies[0]).toMatch(
      /^moltworker_admin=v1\.admin\.[^;]+; Path=\/; Max-Age=86400; HttpOnly; SameSite=Strict$/,
    );
    const second = await redeem(code);
    expect(second.status).toBe(401);
    expect(second.cookies).toEqual([]);
  });

  test("works for one of many that open it at once", async () => {
    codes += 1;
    const code = await adminCode(ADMIN_SECRET, codes);
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(code)));
    expect(answers.filter(({ cookies }) => cookies.length > 0)).toHaveLength(1);
  });

  test.each(["", "1.x", `7.${"A".repeat(43)}`, `${TOKEN}`])(
    "code %j opens nothing",
    async (code) => {
      const answer = await redeem(code);
      expect(answer.status).toBe(401);
      expect(answer.cookies).toEqual([]);
    },
  );

  test("of another start opens nothing", async () => {
    expect((await redeem(await adminCode(`${ADMIN_SECRET}x`, 1))).status).toBe(401);
  });
});

describe("the admin's port", () => {
  test.each(["evil.example", "evil.example:8788", "127.0.0.1:8787", "127.0.0.1.evil.example:8788"])(
    "does not answer to host %s",
    async (host) => {
      const answer = await ask({ path: "/api/status", headers: { Host: host, Cookie: session } });
      expect(answer.status).toBe(421);
      expect(await worker.calls()).toEqual([]);
    },
  );

  test("knows nothing of the agent's face, nor the agent's port of the admin's", async () => {
    for (const path of [
      "/chat",
      "/ws",
      "/anything",
      "/_moltworker/session",
      "/assets/index-Ab12_-Zz.js",
    ]) {
      const answer = await ask({
        path,
        headers: { Cookie: session, Authorization: `Bearer ${TOKEN}` },
      });
      expect(answer.status).toBe(404);
    }
    for (const path of ["/_admin/", "/api/status", "/debug/version"]) {
      const answer = await worker.ask("AgentFace", {
        path,
        headers: { Cookie: session, Authorization: `Bearer ${TOKEN}` },
      });
      expect(answer.status).toBe(404);
    }
    expect((await ask({ path: "/" })).headers["location"]).toBe("/_admin/");
    expect(await worker.calls()).toEqual([]);
  });

  test("takes neither the gateway token nor its cookie", async () => {
    const answer = await ask({
      path: "/api/status",
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    expect(answer.status).toBe(401);
  });

  test("is not readable from the agent's origin on the same host", async () => {
    const answer = await admin("GET", "/api/status", undefined, {
      Origin: "http://127.0.0.1:8787",
      "Sec-Fetch-Site": "same-site",
    });
    expect(answer.status).toBe(403);
  });
});

describe("the page", () => {
  test("is one document for every room, under a policy without inline code", async () => {
    for (const room of ["", "devices", "audit"]) {
      const page = await admin("GET", `/_admin/${room}`);
      expect(page.status).toBe(200);
      expect(page.headers["content-security-policy"]).toContain("script-src 'self';");
      expect(page.headers["cache-control"]).toBe("no-store");
      expect(page.text).not.toMatch(/<script(?![^>]*\ssrc=)|\sstyle=|<style/);
    }
  });

  test("and its files are for an admin only, and nothing else of the assets is there", async () => {
    const [, script = ""] = /src="([^"]+\.js)"/.exec((await admin("GET", "/_admin/")).text) ?? [];
    const file = await admin("GET", script);
    expect(file.status).toBe(200);
    expect(file.headers["content-type"]).toContain("javascript");
    expect(file.headers["cache-control"]).toContain("private");
    expect((await ask({ path: script })).status).toBe(401);
    expect((await admin("GET", "/_admin/key")).text).toContain("<!doctype html>");
    for (const path of ["/_admin/assets/nothing.js", "/_admin/index.html", "/_admin/a/b"]) {
      expect((await admin("GET", path)).status).toBe(404);
    }
  });
});

describe("the API", () => {
  test.each([
    ["GET", "/api/status", undefined, "status", []],
    ["POST", "/api/agent/start", {}, "start", []],
    ["POST", "/api/agent/stop", {}, "stop", []],
    ["GET", "/api/devices", undefined, "devices.list", []],
    ["POST", `/api/devices/${DEVICE}/approve`, {}, "devices.approve", [DEVICE, "local"]],
    ["POST", `/api/devices/${DEVICE}/reject`, {}, "devices.reject", [DEVICE, "local"]],
    [
      "PATCH",
      `/api/devices/${DEVICE}`,
      { name: " My phone " },
      "devices.rename",
      [DEVICE, "My phone"],
    ],
    ["DELETE", `/api/devices/${DEVICE}`, undefined, "devices.remove", [DEVICE, ASKER]],
    [
      "GET",
      "/api/logs?source=supervisor&after=3",
      undefined,
      "logs",
      [{ source: "supervisor", after: 3 }],
    ],
  ])("%s %s is one call of the agent", async (method, path, body, name, args) => {
    const answer = await admin(method, path, body);
    expect(answer.status).toBe(200);
    expect(await worker.calls()).toEqual([{ name, args }]);
  });

  test("tells why the agent refused", async () => {
    const answer = await admin("POST", "/api/agent/restart", {});
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.text).error).toEqual({ code: "refused", message: "not running" });
  });

  test("streams the status, and lines of the log that is asked for", async () => {
    const { host } = await worker.address("AdminFace");
    const seen = await readStream(host, "/api/events?logs=gateway", /event: logs\n/);
    expect(seen).toMatch(/^event: status\ndata: {.*"phase":"ready"/m);
    expect(seen).toContain("telegram is slow");
    expect(seen).not.toContain("booted");
  });

  test("shows refused hosts, processes and which settings are set, without a value", async () => {
    expect((await admin("GET", "/api/egress/refused")).text).toContain("evil.example");
    expect((await admin("GET", "/debug/processes")).text).toContain('"pid":1');
    const settings = (await admin("GET", "/api/settings")).text;
    expect(JSON.parse(settings).settings).toContainEqual(
      expect.objectContaining({ name: "MOLTBOT_GATEWAY_TOKEN", set: true }),
    );
    expect(settings).not.toContain(TOKEN);
  });

  test.each([
    ["POST", "/api/agent/explode", {}, {}, 404, "not_found"],
    ["GET", "/api", undefined, {}, 404, "not_found"],
    ["POST", "/api/devices/zz/approve", {}, {}, 400, "invalid_device"],
    ["PATCH", `/api/devices/${DEVICE}`, { name: "" }, {}, 400, "invalid_body"],
    ["PATCH", `/api/devices/${DEVICE}`, { name: "a", role: "x" }, {}, 400, "invalid_body"],
    ["POST", "/api/agent/start", {}, { "Content-Type": "text/plain" }, 415, "json_required"],
    ["POST", "/api/agent/start", {}, { Origin: "https://evil.example" }, 403, "cross_origin"],
    ["POST", "/api/agent/start", {}, { Origin: "null" }, 403, "cross_origin"],
    ["GET", "/api/logs?after=x", undefined, {}, 400, "invalid_query"],
  ])("%s %s with %j %j is %i %s", async (method, path, body, headers, status, code) => {
    const answer = await admin(method, path, body, headers);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error.code).toBe(code);
    expect(await worker.calls()).toEqual([]);
  });

  test("needs an Origin for a change", async () => {
    const answer = await ask({
      method: "POST",
      path: "/api/agent/start",
      headers: { Cookie: session, "Content-Type": "application/json" },
      body: "{}",
    });
    expect(answer.status).toBe(403);
  });
});

describe("when the agent sleeps", () => {
  test.each([["never"], [600_000], [null]])("is set to %j and written down", async (sleepAfter) => {
    const answer = await admin("PUT", "/api/settings/sleep", { sleepAfter });
    expect(answer.status).toBe(200);
    expect((await worker.calls()).find(({ name }) => name === "setSleepAfter")?.args).toEqual(
      sleepAfter === null ? [null] : [sleepAfter],
    );
    const audit = await admin("GET", "/api/audit");
    expect(JSON.parse(audit.text).entries[0]).toMatchObject({
      kind: "sleep-changed",
      who: "local",
    });
  });

  test.each([
    [{}],
    [{ sleepAfter: 1 }],
    [{ sleepAfter: "10m" }],
    [{ sleepAfter: 600_000, more: 1 }],
  ])("%j changes nothing", async (body) => {
    const answer = await admin("PUT", "/api/settings/sleep", body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).error.code).toBe("invalid_body");
    expect((await worker.calls()).map(({ name }) => name)).not.toContain("setSleepAfter");
  });
});
