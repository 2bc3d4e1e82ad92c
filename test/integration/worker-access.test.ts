import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createSessionKeeper } from "../../src/worker/access/session.ts";
import {
  startWorkerServer,
  TOKEN,
  type Answer,
  type WorkerServer,
} from "../support/worker-server.ts";

let worker: WorkerServer;
const cookies: Record<string, string> = {};
/** A client of its own, so that failed attempts of one test do not slow down another. */
let client = "203.0.113.0";
let clients = 0;

beforeAll(async () => {
  worker = await startWorkerServer({ DEBUG_ROUTES: "true" });
  const now = Date.now();
  cookies["good"] = await createSessionKeeper(TOKEN, "main").issue(now);
  cookies["expired"] = await createSessionKeeper(TOKEN, "main").issue(now - 25 * 3_600_000);
  cookies["future"] = await createSessionKeeper(TOKEN, "main").issue(now + 3_600_000);
  cookies["foreign"] = await createSessionKeeper(TOKEN.replace("t", "x"), "main").issue(now);
  cookies["other agent"] = await createSessionKeeper(TOKEN, "other").issue(now);
  cookies["tampered"] = cookies["good"].replace(/\.\d+\./, `.${now + 1000}.`);
});
afterAll(() => worker.close());
beforeEach(async () => {
  clients += 1;
  client = `203.0.113.${clients % 250}`;
  await worker.calls();
});

const cookie = (name: string): Record<string, string> => ({
  Cookie: `moltworker_session=${cookies[name]}`,
});
const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  worker.ask("Deployed", { path, headers: { "x-test-client": client, ...headers } });
const upgrade = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  get(path, {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    ...headers,
  });
const own = async (): Promise<string> => (await worker.address("Deployed")).origin;

const SESSION_PATHS = [
  "/",
  "/chat/main",
  "/anything",
  "/_moltworker/session",
  "/_moltworker/bootstrap.js",
  "/_moltworker/events",
  "/api/chat/media/x",
];
const ADMIN_PATHS = [
  "/_admin",
  "/_admin/",
  "/api/status",
  "/api/devices",
  "/api/nothing",
  "/debug/version",
];
const CLOSED_PATHS = [
  "/_moltworker/other",
  "/v1/models",
  "/tools/invoke",
  "/cdp/json/list",
  "/cdn-cgi/x",
  "/_control-ui/index.html",
  "/sw.js",
];

describe("without a credential", () => {
  test.each(SESSION_PATHS)("%s is 401 and the agent hears nothing", async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(JSON.parse(answer.text).error.code).toBe("unauthorized");
    expect(await worker.calls()).toEqual([]);
  });

  test("a browser gets a login form in its language, with a policy that runs nothing", async () => {
    const page = await get("/chat/main?x=1", { Accept: "text/html" });
    expect(page.status).toBe(401);
    expect(page.text).toContain('action="/_moltworker/login"');
    expect(page.text).toContain('value="/chat/main?x=1"');
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    const chinese = await get("/", { Accept: "text/html", "Accept-Language": "zh-CN,en" });
    expect(chinese.text).toContain("网关令牌");
  });

  test.each(ADMIN_PATHS)("%s is closed when deployed", async (path) => {
    expect((await get(path)).status).toBe(403);
    expect((await get(path, { Authorization: `Bearer ${TOKEN}` })).status).toBe(403);
    expect((await get(path, cookie("good"))).status).toBe(403);
    expect(await worker.calls()).toEqual([]);
  });

  test.each(CLOSED_PATHS)("%s does not exist for anybody", async (path) => {
    expect((await get(path)).status).toBe(404);
    expect((await get(path, { Authorization: `Bearer ${TOKEN}` })).status).toBe(404);
    expect(await worker.calls()).toEqual([]);
  });

  test("health and the Control UI's files are public and reach no agent", async () => {
    expect(JSON.parse((await get("/healthz")).text)).toEqual({ ok: true, version: "test" });
    const hashed = await get("/assets/index-Ab12_-Zz.js");
    expect(hashed.status).toBe(200);
    expect(hashed.headers["cache-control"]).toContain("immutable");
    expect((await get("/favicon.svg")).status).toBe(200);
    expect((await get("/assets/missing.js")).status).toBe(404);
    expect(await worker.calls()).toEqual([]);
  });

  test("a file of the assets that no route names stays out of reach", async () => {
    expect((await get("/secret.txt")).status).toBe(401);
    expect((await get("/secret.txt", cookie("good"))).text).toBe("from the agent");
  });
});

describe("with a cookie", () => {
  test.each(["expired", "future", "foreign", "other agent", "tampered"])(
    "an %s session is none",
    async (name) => {
      expect((await get("/anything", cookie(name))).status).toBe(401);
      expect(await worker.calls()).toEqual([]);
    },
  );

  test("a good one passes beside others that a neighbour on this host set", async () => {
    const answer = await get("/anything", {
      Cookie: `moltworker_session=junk; moltworker_session=${cookies["good"]}`,
    });
    expect(answer.text).toBe("from the agent");
  });

  test("the page comes from the assets without a call of the agent, under a strict policy", async () => {
    for (const path of ["/", "/chat/main/部署-6db92d48".replace("部署", "%E9%83%A8%E7%BD%B2")]) {
      const page = await get(path, { ...cookie("good"), Accept: "text/html" });
      expect(page.text).toContain("<title>Control UI</title>");
      expect(page.headers["content-security-policy"]).toContain("script-src 'self' 'sha256-AAAA='");
      expect(page.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    }
    expect(await worker.calls()).toEqual([]);
  });

  test("the bootstrap script holds the inner token, never the outer, and starts the agent", async () => {
    const script = await get("/_moltworker/bootstrap.js", cookie("good"));
    expect(script.headers["cache-control"]).toBe("no-store");
    expect(script.headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(script.text).toContain("inner-\\u003c/script>-token-0123456789abcdef");
    expect(script.text).not.toContain(TOKEN);
    expect((await worker.calls()).map(({ name }) => name)).toEqual(["session", "start"]);
  });

  test("another origin of the same host cannot include it as a script", async () => {
    for (const site of ["same-site", "cross-site"]) {
      const answer = await get("/_moltworker/bootstrap.js", {
        ...cookie("good"),
        "Sec-Fetch-Site": site,
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Dest": "script",
      });
      expect(answer.status).toBe(403);
    }
    expect(await worker.calls()).toEqual([]);
  });

  test("a link in a chat opens the page", async () => {
    const page = await get("/chat/main", {
      ...cookie("good"),
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-Mode": "navigate",
      "Sec-Fetch-Dest": "document",
    });
    expect(page.status).toBe(200);
  });

  test("a change needs proof that our own page asked", async () => {
    const post = async (headers: Record<string, string>): Promise<number> =>
      (
        await worker.ask("Deployed", {
          method: "POST",
          path: "/anything",
          headers: { ...cookie("good"), ...headers },
        })
      ).status;
    expect(await post({})).toBe(403);
    expect(await post({ Origin: "https://evil.example" })).toBe(403);
    expect(await post({ Origin: "null" })).toBe(403);
    expect(await post({ Origin: await own(), "Sec-Fetch-Site": "cross-site" })).toBe(403);
    expect(await worker.calls()).toEqual([]);
    expect(await post({ Origin: await own() })).toBe(200);
    expect(await post({ "Sec-Fetch-Site": "same-origin" })).toBe(200);
  });
});

describe("with the token", () => {
  test("a link is traded once for a cookie and a clean address", async () => {
    const answer = await get(`/chat/main?token=${TOKEN}&x=%E4%BD%A0`, { Accept: "text/html" });
    expect(answer.status).toBe(303);
    expect(answer.headers["location"]).toBe("/chat/main?x=%E4%BD%A0");
    expect(answer.cookies).toHaveLength(1);
    expect(answer.cookies[0]).toMatch(
      /^moltworker_session=v1\.main\.\d+\.[\w-]{24}\.[\w-]{43}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax$/,
    );
    const value = (answer.cookies[0] ?? "").split(";")[0] ?? "";
    expect((await get("/anything", { Cookie: value })).status).toBe(200);
  });

  test("the cookie is secure over https", async () => {
    const answer = await worker.dispatch(`https://agent.example/?token=${TOKEN}`, {
      headers: { Accept: "text/html", "x-test-client": client },
    });
    expect(answer.status).toBe(303);
    expect(answer.cookies[0]).toMatch(/; Secure$/);
  });

  test("a wrong one gets the form and no cookie, also from a browser with a session", async () => {
    const answer = await get("/?token=wrong", { ...cookie("good"), Accept: "text/html" });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("MOLTBOT_GATEWAY_TOKEN");
    expect(answer.cookies).toEqual([]);
  });

  test("Bearer serves programs, and the token does not travel on", async () => {
    const answer = await get(`/anything?a=1&note=${TOKEN}`, {
      Authorization: `Bearer ${TOKEN}`,
      "X-Copy": TOKEN,
      "X-Forwarded-For": "127.0.0.1",
      Forwarded: "for=127.0.0.1",
      "X-Real-IP": "127.0.0.1",
      "X-OpenClaw-User": "admin",
      "X-Moltworker-Client": "127.0.0.1",
      "CF-Connecting-IP": "127.0.0.1",
    });
    expect(answer.status).toBe(200);
    const [call] = await worker.calls();
    const seen = JSON.stringify(call);
    expect(seen).not.toContain(TOKEN);
    expect(seen).not.toContain('127.0.0.1"');
    expect(call?.args[0]).toMatchObject({
      url: `${await own()}/anything?a=1`,
      headers: {
        "x-moltworker-client": client,
        "x-moltworker-proto": "http",
        "x-moltworker-host": (await worker.address("Deployed")).host,
      },
    });
  });

  test("the inner token in Authorization passes beside the cookie, the cookie does not", async () => {
    await get("/api/chat/media/x", { ...cookie("good"), Authorization: "Bearer inner" });
    const [call] = await worker.calls();
    expect(call?.args[0]).toMatchObject({ headers: { authorization: "Bearer inner" } });
    expect(JSON.stringify(call)).not.toContain("moltworker_session");
  });

  test("ten wrong tokens a minute stop one client, also with the right one, and nobody else", async () => {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect((await get("/anything", { Authorization: `Bearer wrong${attempt}` })).status).toBe(
        401,
      );
    }
    const limited = await get("/anything", { Authorization: `Bearer ${TOKEN}` });
    expect(limited.status).toBe(429);
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
    expect((await get("/anything", cookie("good"))).status).toBe(200);
    client = "203.0.113.251";
    expect((await get("/anything", { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  test("nothing that was logged holds it", () => {
    expect(worker.logs.length).toBeGreaterThan(0);
    expect(worker.logs.join("\n")).not.toContain(TOKEN);
  });
});

describe("the login form", () => {
  const submit = async (body: string, headers: Record<string, string> = {}): Promise<Answer> =>
    worker.ask("Deployed", {
      method: "POST",
      path: "/_moltworker/login",
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        "x-test-client": client,
        Origin: await own(),
        ...headers,
      },
      body,
    });

  test("leads back to the page asked for", async () => {
    const answer = await submit(`token=${TOKEN}&back=/chat/main%3Fx=1`);
    expect(answer.status).toBe(303);
    expect(answer.headers["location"]).toBe("/chat/main?x=1");
    expect(answer.cookies[0]).toContain("HttpOnly");
  });

  test.each(["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])(
    "does not lead to %s",
    async (back) => {
      const answer = await submit(`token=${TOKEN}&back=${encodeURIComponent(back)}`);
      expect(answer.headers["location"]).toBe("/");
    },
  );

  test("says what was wrong", async () => {
    const answer = await submit("token=wrong", { Accept: "text/html" });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain('role="alert"');
  });

  test("is not taken from another site", async () => {
    expect((await submit(`token=${TOKEN}`, { Origin: "https://evil.example" })).status).toBe(403);
    expect((await submit(`token=${TOKEN}`, { Origin: "null" })).status).toBe(403);
  });

  test("logout ends the session in this browser", async () => {
    const answer = await worker.ask("Deployed", {
      method: "POST",
      path: "/_moltworker/logout",
      headers: { Origin: await own() },
    });
    expect(answer.status).toBe(303);
    expect(answer.cookies[0]).toContain("Max-Age=0");
  });
});

describe("WebSocket upgrades", () => {
  test.each(["/ws", "/", "/gateway"])("at %s need a credential", async (path) => {
    expect((await upgrade(path)).status).toBe(401);
    expect((await upgrade(path, { Authorization: "Bearer wrong" })).status).toBe(401);
    expect((await upgrade(`${path}?token=wrong`)).status).toBe(401);
    expect(await worker.calls()).toEqual([]);
    expect((await upgrade(path, { Authorization: `Bearer ${TOKEN}` })).status).toBe(101);
    expect((await upgrade(`${path}?token=${TOKEN}&v=4`)).status).toBe(101);
    const calls = await worker.calls();
    expect(JSON.stringify(calls)).not.toContain(TOKEN);
    expect(calls[1]?.args[0]).toMatchObject({ url: expect.stringMatching(/\?v=4$/) });
  });

  test("with a cookie need our own Origin", async () => {
    expect((await upgrade("/ws", cookie("good"))).status).toBe(403);
    expect(
      (await upgrade("/ws", { ...cookie("good"), Origin: "https://evil.example" })).status,
    ).toBe(403);
    expect(await worker.calls()).toEqual([]);
    expect((await upgrade("/ws", { ...cookie("good"), Origin: await own() })).status).toBe(101);
  });

  test("malformed ones are refused before anything else", async () => {
    const good = { Authorization: `Bearer ${TOKEN}` };
    expect((await upgrade("/ws", { ...good, Upgrade: "h2c" })).status).toBe(400);
    expect((await upgrade("/ws", { ...good, "Sec-WebSocket-Key": "short" })).status).toBe(400);
    expect((await upgrade("/ws", { ...good, "Sec-WebSocket-Version": "8" })).status).toBe(426);
    expect((await get("/ws", good)).status).toBe(426);
    expect((await upgrade("/healthz", good)).status).toBe(400);
    expect(await worker.calls()).toEqual([]);
  });
});
