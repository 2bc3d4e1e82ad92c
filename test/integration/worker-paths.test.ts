import net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PATH_VARIANTS } from "../support/path-variants.ts";
import {
  startWorkerServer,
  TOKEN,
  type Answer,
  type WorkerServer,
} from "../support/worker-server.ts";

let worker: WorkerServer;
beforeAll(async () => {
  worker = await startWorkerServer({ DEBUG_ROUTES: "true" });
});
afterAll(() => worker.close());

const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  worker.ask("Deployed", { path, headers: { Authorization: `Bearer ${TOKEN}`, ...headers } });

const ROUTES = [
  "/_admin/",
  "/api/status",
  "/debug/version",
  "/_moltworker/session",
  "/_control-ui/index.html",
  "/v1/models",
  "/tools/invoke",
  "/ws",
  "/healthz",
];

const table = ROUTES.flatMap((route) =>
  Object.entries(PATH_VARIANTS).map(([name, vary]) => ({ route, name, path: vary(route) })),
);

test.each(table)("$route with $name is never routed ($path)", async ({ path }) => {
  const answer = await get(path);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text).error.code).toBe("malformed_path");
  expect(await worker.calls()).toEqual([]);
});

/** The runtime resolves these while parsing: what counts is that the guard sees the same path. */
test.each(["/x/../_admin/", "/x/%2e%2e/_admin/", "/./_admin/", "\\_admin\\", "/x\\..\\_admin/"])(
  "%s never reaches the agent",
  async (path) => {
    expect([400, 403]).toContain((await get(path)).status);
    expect(await worker.calls()).toEqual([]);
  },
);

test("an ordinary path with ordinary escapes goes through", async () => {
  for (const path of ["/files/a%20b", "/x/%E4%BD%A0%E5%A5%BD", "/x/a%3Ab@c,d", "/x/~user/(1)"]) {
    expect((await get(path)).text).toBe("from the agent");
    const [call] = await worker.calls();
    expect(call?.args[0]).toMatchObject({
      url: expect.stringMatching(new RegExp(`${path.replace(/[()]/g, "\\$&")}$`)),
    });
  }
});

describe("size and shape", () => {
  test("a browser gets a page, a program gets JSON", async () => {
    const page = await get("/_ADMIN/", { Accept: "text/html" });
    expect(page.headers["content-type"]).toContain("text/html");
    expect(page.status).toBe(400);
  });

  test("an address over 8 KB is 414", async () => {
    expect((await get(`/${"a".repeat(9000)}`)).status).toBe(414);
  });

  test("headers over 32 KB are 431", async () => {
    expect((await get("/x", { "X-Big": "a".repeat(33_000) })).status).toBe(431);
  });

  test("a method that a route does not take is 405 and says which it takes", async () => {
    const answer = await worker.ask("Deployed", { method: "DELETE", path: "/_moltworker/session" });
    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe("GET");
  });

  test("a service worker is never served", async () => {
    expect((await get("/assets/index-Ab12_-Zz.js", { "Service-Worker": "script" })).status).toBe(
      404,
    );
  });

  test.each([
    "GET http://evil.example/_admin/ HTTP/1.1\r\nHost: evil.example",
    "GET  /healthz HTTP/1.1\r\nHost: a",
    "GET /healthz\u0000 HTTP/1.1\r\nHost: a",
    "GET /_admin/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
    "BREW /x HTTP/1.1\r\nHost: a",
  ])("what is no plain HTTP gets no entry: %j", async (head) => {
    const { hostname, port } = await worker.address("Deployed");
    const reply = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(Number(port), hostname, () => {
        socket.write(`${head}\r\nConnection: close\r\n\r\n`);
      });
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString()));
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    expect(reply).toMatch(/^HTTP\/1\.1 (4\d\d|501)/);
    expect(await worker.calls()).toEqual([]);
  });
});

describe("a configuration with problems", () => {
  test("answers with every problem by name, shows no secret and starts nothing", async () => {
    const broken = await startWorkerServer({
      MOLTBOT_GATEWAY_TOKEN: "short-secret",
      DEV_MODE: "true",
      SANDBOX_SLEEP_AFTER: "soon",
    });
    try {
      const health = await broken.ask("Deployed", { path: "/healthz" });
      expect(health.status).toBe(503);
      expect(JSON.parse(health.text)).toMatchObject({
        reason: "configuration",
        names: expect.arrayContaining(["MOLTBOT_GATEWAY_TOKEN", "DEV_MODE", "SANDBOX_SLEEP_AFTER"]),
      });
      for (const path of ["/", "/_admin/", "/api/status", "/ws", "/assets/index-Ab12_-Zz.js"]) {
        const answer = await broken.ask("Deployed", {
          path,
          headers: { Authorization: "Bearer short-secret" },
        });
        expect(answer.status).toBe(503);
        expect(answer.text).toContain("MOLTBOT_GATEWAY_TOKEN");
        expect(answer.text).not.toContain("short-secret");
      }
      expect(await broken.calls()).toEqual([]);
    } finally {
      await broken.close();
    }
  });
});
