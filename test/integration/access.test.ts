/** Who gets in where, as when deployed: identities by routes by spellings, against real workerd. */
import { exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createSessionKeeper } from "../../src/worker/access/session.ts";
import { createPairingCodes } from "../../src/worker/apps/code.ts";
import {
  AUDIENCE,
  createAccessTeam,
  startAccessEdge,
  TEAM,
  type AccessTeam,
} from "../emulators/access.ts";
import { launchChromium } from "../support/chromium.ts";
import {
  startWorkerServer,
  TOKEN,
  type Answer,
  type WorkerServer,
} from "../support/worker-server.ts";

const SETTINGS = {
  CF_ACCESS_TEAM_DOMAIN: `https://${TEAM}`,
  CF_ACCESS_AUD: AUDIENCE,
  ADMIN_EMAILS: "owner@example.org",
  ADMIN_SERVICE_TOKENS: "0123abcd.access",
  DEBUG_ROUTES: "true",
};

let team: AccessTeam;
let worker: WorkerServer;
let client = 0;

beforeAll(async () => {
  team = await createAccessTeam();
  worker = await startWorkerServer(SETTINGS, { outside: (request) => team.answer(request) });
});
afterAll(() => worker.close());
beforeEach(() => {
  client += 1;
});

type Headers = Record<string, string>;
const ask = (path: string, headers: Headers = {}, method = "GET", body?: string): Promise<Answer> =>
  worker.ask("AccessFace", {
    path,
    method,
    headers: { "x-test-client": `203.0.113.${client % 250}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
const bearing = (token: string): Headers => ({ "Cf-Access-Jwt-Assertion": token });
const seconds = (): number => Math.floor(Date.now() / 1000);

async function forged(alg: "none" | "HS256"): Promise<string> {
  const claims = { email: "owner@example.org", sub: "x" };
  const fill = <T extends UnsecuredJWT | SignJWT>(jwt: T): T => {
    jwt.setIssuer(team.origin).setAudience(AUDIENCE).setIssuedAt().setExpirationTime("1h");
    return jwt;
  };
  if (alg === "none") return `${fill(new UnsecuredJWT(claims)).encode()}AA`;
  const key = new TextEncoder().encode(await exportSPKI(team.publicKey()));
  const jwt = new SignJWT(claims).setProtectedHeader({ alg, kid: "1".padStart(64, "0") });
  return fill(jwt).sign(key);
}

/** Who asks, and what an admin route answers to them. */
const IDENTITIES: [who: string, status: number, headers: () => Promise<Headers>][] = [
  ["nobody", 401, async () => ({})],
  ["the gateway token as Bearer", 401, async () => ({ Authorization: `Bearer ${TOKEN}` })],
  [
    "a session of the agent",
    401,
    async () => ({
      Cookie: `moltworker_session=${await createSessionKeeper(TOKEN, "main").issue(Date.now())}`,
    }),
  ],
  ["a wrong gateway token", 401, async () => ({ Authorization: `Bearer ${"x".repeat(40)}` })],
  ["rubbish for a token", 401, async () => bearing("rubbish")],
  [
    "an Access user who is not listed",
    403,
    async () => bearing(await team.mint({ email: "eve@example.org" })),
  ],
  [
    "a service token that is not listed",
    403,
    async () => bearing(await team.mint({ commonName: "eve.access" })),
  ],
  [
    "an expired token",
    401,
    async () => bearing(await team.mint({ issuedAt: seconds() - 7200, expiresAt: seconds() - 60 })),
  ],
  [
    "a token for another audience",
    401,
    async () => bearing(await team.mint({ audience: ["f".repeat(64)] })),
  ],
  [
    "a token of another team",
    401,
    async () => bearing(await team.mint({ issuer: "https://evil.cloudflareaccess.com" })),
  ],
  ["alg none", 401, async () => bearing(await forged("none"))],
  ["HS256 with the public key", 401, async () => bearing(await forged("HS256"))],
  ["an unknown key id", 401, async () => bearing(await team.mint({ kid: "unknown" }))],
  [
    "an admin's token in the cookie alone",
    401,
    async () => ({ Cookie: `CF_Authorization=${await team.mint({})}` }),
  ],
  [
    "an admin's token as Bearer",
    401,
    async () => ({ Authorization: `Bearer ${await team.mint({})}` }),
  ],
  ["an admin", 200, async () => bearing(await team.mint({}))],
  [
    "a listed service token",
    200,
    async () => bearing(await team.mint({ commonName: "0123abcd.access" })),
  ],
];

const ADMIN_ROUTES = [
  "/_admin/",
  "/_admin/devices",
  "/api/status",
  "/api/devices",
  "/api/settings",
  "/api/audit",
  "/api/security",
  "/debug/version",
  "/debug/processes",
];

describe.each(IDENTITIES)("%s", (_who, status, headers) => {
  test.each(ADMIN_ROUTES)(`%s is ${status}`, async (path) => {
    const answer = await ask(path, await headers());
    expect(answer.status).toBe(status);
    const code: unknown = status === 200 ? "access_" : JSON.parse(answer.text).error.code;
    expect(code).toMatch(/^(access_|not_an_admin)/);
  });

  test("the agent's own page does not open by it, unless it is the agent's own credential", async () => {
    const given = await headers();
    const own =
      given["Cookie"]?.includes("moltworker_session") || given["Authorization"]?.endsWith(TOKEN);
    expect((await ask("/", given)).status).toBe(own ? 200 : 401);
  });
});

/** Other spellings of admin paths: none is the admin's door, and none is the agent's for it. */
const SPELLINGS = [
  "/%5fadmin/",
  "/_%61dmin/",
  "/_admin%2f",
  "/_admin/..;/api/status",
  "//_admin/",
  "/_admin//",
  "/_ADMIN/",
  "/_admin./",
  "/_admin/.",
  "/api/../_admin/",
  "/API/status",
  "/%61pi/status",
  "/api%2fstatus",
  "/api/status;x",
  "/api./status",
  "/api/./status",
  "/api\\status",
  "/debug%2fversion",
  "/Debug/version",
];

describe.each(SPELLINGS)("the spelling %s", (path) => {
  test.each(["nobody", "a session of the agent", "an admin"])("lets %s nowhere", async (who) => {
    const row = IDENTITIES.find(([name]) => name === who);
    await worker.calls();
    const answer = await ask(path, (await row?.[2]()) ?? {});
    expect([400, 401, 404]).toContain(answer.status);
    expect(answer.text).not.toContain("from the agent");
    expect(await worker.calls()).toEqual([]);
  });
});

describe("a change", () => {
  const json = { "Content-Type": "application/json" };

  test("by a browser needs to come from our own page", async () => {
    const admin = bearing(await team.mint({}));
    const { origin } = await worker.address("AccessFace");
    const change = (headers: Headers) =>
      ask("/api/agent/start", { ...admin, ...json, ...headers }, "POST", "{}");
    expect((await change({})).status).toBe(403);
    expect((await change({ Origin: "https://evil.example" })).status).toBe(403);
    expect((await change({ Origin: "null" })).status).toBe(403);
    expect((await change({ Origin: origin, "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
    expect((await change({ Origin: origin })).status).toBe(200);
  });

  test("by a program with a service token needs no Origin, and another site's is refused", async () => {
    const robot = bearing(await team.mint({ commonName: "0123abcd.access" }));
    const change = (headers: Headers) =>
      ask("/api/agent/start", { ...robot, ...json, ...headers }, "POST", "{}");
    expect((await change({})).status).toBe(200);
    expect((await change({ Origin: "https://evil.example" })).status).toBe(403);
    const { entries } = JSON.parse((await ask("/api/audit", robot)).text);
    expect(entries[0]).toMatchObject({ kind: "agent-start", who: "service token 0123abcd.access" });
  });
});

describe("floods", () => {
  test("of unknown key ids cost one fetch, and an admin among them gets in", async () => {
    const admin = bearing(await team.mint({}));
    expect((await ask("/api/status", admin)).status).toBe(200);
    const before = team.certRequests();
    const tokens = await Promise.all(
      Array.from({ length: 300 }, (_, n) => team.mint({ kid: `flood-${n}` })),
    );
    const answers = await Promise.all([
      ...tokens.map((token) => ask("/api/status", bearing(token))),
      ...Array.from({ length: 10 }, () => ask("/api/settings", admin)),
    ]);
    expect(answers.slice(0, 300).every(({ status }) => status === 401)).toBe(true);
    expect(answers.slice(300).map(({ status }) => status)).toEqual(
      Array.from({ length: 10 }, () => 200),
    );
    expect(team.certRequests() - before).toBeLessThanOrEqual(1);
  });

  test("of bad tokens, sessions and identities ask the agent nothing, fetch nothing and are written down as sums", async () => {
    const admin = bearing(await team.mint({}));
    expect((await ask("/api/status", admin)).status).toBe(200);
    await worker.calls();
    const [writes, fetches] = [await worker.writes(), team.certRequests()];
    const bad: ((n: number) => Headers)[] = [
      (n) => ({ Authorization: `Bearer ${"x".repeat(32)}${n}` }),
      (n) => ({ Authorization: `Bearer a1.main.${n}.${"A".repeat(24)}.${"A".repeat(43)}` }),
      (n) => ({ Cookie: `moltworker_session=v1.main.${n}.${"A".repeat(24)}.${"A".repeat(43)}` }),
      (n) => bearing(`a.b${n}.c`),
    ];
    const flood = Array.from({ length: 800 }, (_, n) =>
      worker.ask("AccessFace", {
        path: n % 8 < 4 ? "/anything" : "/api/status",
        headers: { "x-test-client": `10.0.${n >> 8}.${n & 255}`, ...bad[n % 4]?.(n) },
      }),
    );
    const session = await createSessionKeeper(TOKEN, "main").issue(Date.now());
    const real = Array.from({ length: 10 }, () => [
      ask("/_moltworker/login", { Cookie: `moltworker_session=${session}` }),
      ask("/_admin/", admin),
    ]).flat();
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]));
    expect(new Set((await Promise.all(real)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(await worker.calls()).toEqual([]);
    // One a minute, however many there were.
    expect((await worker.writes()) - writes).toBeLessThanOrEqual(2);
    expect(team.certRequests()).toBe(fetches);
    expect((await ask("/anything", { Authorization: `Bearer ${TOKEN}` })).text).toBe(
      "from the agent",
    );
  });
});

test("a key that was rotated in is known within half a minute of its first use, or at once when it is the first new one", async () => {
  const fresh = await createAccessTeam();
  const other = await startWorkerServer(SETTINGS, { outside: (request) => fresh.answer(request) });
  try {
    const status = async (token: string) =>
      (await other.ask("AccessFace", { path: "/api/status", headers: bearing(token) })).status;
    await fresh.rotate();
    expect(await status(await fresh.mint({}))).toBe(200);
    expect(fresh.certRequests()).toBe(1);
  } finally {
    await other.close();
  }
});

test("without its settings the routes are closed and name what is missing", async () => {
  const bare = await startWorkerServer(
    { ADMIN_EMAILS: "owner@example.org" },
    { outside: (request) => team.answer(request) },
  );
  try {
    const headers = bearing(await team.mint({}));
    const answer = await bare.ask("AccessFace", { path: "/api/status", headers });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text).error).toMatchObject({
      code: "access_not_configured",
      missing: ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD"],
    });
  } finally {
    await bare.close();
  }
});

test("with a host name of its own, the admin's face is there and only there", async () => {
  const host = "admin.example.org";
  const apart = await startWorkerServer(
    { ...SETTINGS, ADMIN_HOST: host },
    { outside: (request) => team.answer(request) },
  );
  try {
    const admin = bearing(await team.mint({}));
    const at = async (path: string, headers: Headers) =>
      (await apart.ask("AccessFace", { path, headers })).status;
    for (const path of ["/_admin/", "/api/status", "/debug/version"]) {
      expect(await at(path, { ...admin, Host: host })).toBe(200);
      expect(await at(path, { ...admin, Host: "agent.example.org" })).toBe(404);
      expect(await at(path, { ...admin, Host: `${host}.evil.example` })).toBe(404);
    }
    const own = { Authorization: `Bearer ${TOKEN}` };
    for (const path of ["/", "/anything", "/_moltworker/session", "/_moltworker/pair"]) {
      expect(await at(path, { ...own, Host: "agent.example.org" })).toBe(200);
      expect(await at(path, { ...own, Host: host })).toBe(path === "/" ? 302 : 404);
    }
    // The admin's own pages are the only ones that may call the admin's API.
    const json = { ...admin, Host: host, "Content-Type": "application/json" };
    const start = async (origin: string) =>
      (
        await apart.ask("AccessFace", {
          ...{ method: "POST", path: "/api/agent/start", body: "{}" },
          headers: { ...json, Origin: origin },
        })
      ).status;
    expect(await start("http://agent.example.org")).toBe(403);
    expect(await start(`http://${host}`)).toBe(200);
  } finally {
    await apart.close();
  }
});

test("debug routes do not exist until they are switched on, and then only answer questions", async () => {
  const off = await startWorkerServer(
    { ...SETTINGS, DEBUG_ROUTES: "false" },
    { outside: (request) => team.answer(request) },
  );
  const admin = bearing(await team.mint({}));
  const paths = ["/debug/version", "/debug/processes", "/debug/logs?id=gateway"];
  try {
    for (const path of paths) {
      expect((await off.ask("AccessFace", { path, headers: admin })).status).toBe(404);
      expect((await off.ask("AccessFace", { path })).status).toBe(401);
      expect((await ask(path, admin)).status).toBe(200);
    }
    expect((await ask("/debug/exec", admin)).status).toBe(404);
    const { origin } = await worker.address("AccessFace");
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await ask("/debug/processes", { ...admin, Origin: origin }, method, "{}");
      expect(answer.status).toBe(405);
    }
  } finally {
    await off.close();
  }
});

test("our own answers say how a browser has to treat them", async () => {
  const admin = bearing(await team.mint({}));
  const session = await createSessionKeeper(TOKEN, "main").issue(Date.now());
  const own = { Cookie: `moltworker_session=${session}` };
  const page = { Accept: "text/html", "Sec-Fetch-Dest": "document" };
  const pages: [string, Headers][] = [
    ["/", page],
    ["/", { ...own, ...page }],
    ["/chat/main", { ...own, ...page }],
    ["/_moltworker/login", page],
    ["/_moltworker/pair", page],
    ["/_admin/", { ...admin, ...page }],
    ["/_admin/", bearing(await team.mint({ email: "eve@example.org" }))],
    ["/v1/models", page],
    ["/_ADMIN/", page],
  ];
  const data: [string, Headers][] = [
    ["/healthz", {}],
    ["/_moltworker/session", own],
    ["/_moltworker/bootstrap.js", own],
    ["/api/status", admin],
    ["/api/status", {}],
    ["/debug/version", admin],
  ];
  for (const [path, headers] of [...pages, ...data]) {
    const answer = await ask(path, headers);
    expect(answer.headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "strict-transport-security": "max-age=31536000",
      "cache-control": "no-store",
    });
  }
  for (const [path, headers] of pages) {
    const { headers: told } = await ask(path, { ...headers, ...page });
    const policy = told["content-security-policy"] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toMatch(/script-src[^;]*('unsafe|\*|https?:)/);
  }
});

test("while the gateway token is replaced both open the door, afterwards nothing of the old one does", async () => {
  const fresh = "fresh-token-of-the-gateway-for-tests-0123456789";
  const open = (settings: Record<string, string>) =>
    startWorkerServer({ ...SETTINGS, ...settings }, { outside: (request) => team.answer(request) });
  const both = await open({
    MOLTBOT_GATEWAY_TOKEN: fresh,
    MOLTBOT_GATEWAY_TOKEN_PREVIOUS: TOKEN,
  });
  const after = await open({ MOLTBOT_GATEWAY_TOKEN: fresh });
  try {
    const old: Headers[] = [
      { Authorization: `Bearer ${TOKEN}` },
      {
        Cookie: `moltworker_session=${await createSessionKeeper(TOKEN, "main").issue(Date.now())}`,
      },
    ];
    const status = async (place: WorkerServer, headers: Headers) =>
      (await place.ask("AccessFace", { path: "/anything", headers })).status;
    for (const headers of old) {
      expect(await status(both, headers)).toBe(200);
      expect(await status(after, headers)).toBe(401);
    }
    expect(JSON.stringify(await both.calls())).not.toContain(TOKEN);
    // What is begun with the old token during the overlap is a session of the new one.
    const link = await both.ask("AccessFace", {
      path: `/?token=${TOKEN}`,
      headers: { Accept: "text/html" },
    });
    const cookie = (link.cookies[0] ?? "").split(";")[0] ?? "";
    expect(await status(after, { Cookie: cookie })).toBe(200);

    const exchange = async (place: WorkerServer, code: string) =>
      (
        await place.ask("AccessFace", {
          ...{ method: "POST", path: "/_moltworker/pair", body: JSON.stringify({ code }) },
          headers: { "Content-Type": "application/json" },
        })
      ).text;
    const { code } = await createPairingCodes([TOKEN], "main").make();
    // Known by its signature, though nobody noted it there; a code of no known token is none.
    expect(await exchange(both, code)).toContain("code_over");
    expect(await exchange(after, code)).toContain("wrong_code");
  } finally {
    await both.close();
    await after.close();
  }
});

describe("a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  async function visit(covers: boolean) {
    const edge = await startAccessEdge(team, await worker.address("AccessFace"), covers);
    const context = await browser.newContext({ locale: "en-US" });
    return { page: await context.newPage(), edge };
  }

  test("is sent to the login and comes back to the room it asked for", async () => {
    const { page, edge } = await visit(true);
    await page.goto(`${edge.origin}/_admin/settings`);
    expect(new URL(page.url()).pathname).toBe("/cdn-cgi/access/login/127.0.0.1");
    await page.getByLabel("E-mail").fill("owner@example.org");
    await page.getByRole("button").click();
    await page.waitForURL(`${edge.origin}/_admin/settings`);
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
    await edge.close();
  });

  test("that is somebody else is told so", async () => {
    const { page, edge } = await visit(true);
    await page.goto(`${edge.origin}/_admin/`);
    await page.getByLabel("E-mail").fill("eve@example.org");
    await page.getByRole("button").click();
    await page.waitForURL(`${edge.origin}/_admin/`);
    expect(await page.textContent("main")).toContain("not an admin of this agent");
    await edge.close();
  });

  test("is not sent around in circles where no application covers the address", async () => {
    const { page, edge } = await visit(false);
    await page.goto(`${edge.origin}/_admin/`);
    await page.getByLabel("E-mail").fill("owner@example.org");
    await page.getByRole("button").click();
    await page.waitForURL(/authorized/);
    await page.goto(`${edge.origin}/_admin/`);
    expect(await page.textContent("main")).toContain("must cover this address");
    await edge.close();
  });
});
