/**
 * Who gets in where, cell by cell: every kind of route, by every identity, in every spelling of its
 * path. What lies behind a socket that was let in, paired device or not, is asked by the gateway and
 * the front port (see `e2e/protocol.test.ts`).
 */
import { exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAppKeeper, createSessionKeeper } from "../../src/worker/access/session.ts";
import { AUDIENCE, createAccessTeam, TEAM, type AccessTeam } from "../emulators/access.ts";
import { PATH_VARIANTS } from "../support/path-variants.ts";
import { startWorkerServer, TOKEN, type WorkerServer } from "../support/worker-server.ts";

type Headers = Record<string, string>;
/** What an identity is at the edge. `ended`: was let in once, and an admin took it back. */
type Standing = "agent" | "ended" | "admin" | "not listed" | "nobody";

let team: AccessTeam;
let worker: WorkerServer;
let origin = "";
/** Signed by a key that was rotated out, by the one before the present one, and by the present one. */
const byKey = { retired: "", previous: "", present: "" };
const apps = { live: "", removed: "" };
let endedSession = "";
let clients = 0;

beforeAll(async () => {
  team = await createAccessTeam();
  byKey.retired = await team.mint({});
  await team.rotate();
  byKey.previous = await team.mint({});
  await team.rotate();
  byKey.present = await team.mint({});
  worker = await startWorkerServer(
    {
      CF_ACCESS_TEAM_DOMAIN: `https://${TEAM}`,
      CF_ACCESS_AUD: AUDIENCE,
      ADMIN_EMAILS: "owner@example.org",
      ADMIN_SERVICE_TOKENS: "0123abcd.access",
      DEBUG_ROUTES: "true",
    },
    { outside: (request) => team.answer(request) },
  );
  origin = (await worker.address("AccessFace")).origin;
  endedSession = await session(TOKEN, Date.now() - 1000);
  await admin("POST", "/api/security/end-sessions", {});
  apps.live = await letIn();
  apps.removed = await letIn();
  const [, , , removed = ""] = apps.removed.split(".");
  await admin("DELETE", `/api/apps/${removed}`);
  await worker.calls();
});
afterAll(() => worker.close());

const bearing = (token: string): Headers => ({ "Cf-Access-Jwt-Assertion": token });
const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });
const cookie = (value: string): Headers => ({ Cookie: `moltworker_session=${value}` });
const seconds = (): number => Math.floor(Date.now() / 1000);
const session = (secret: string, at = Date.now(), subject = "main") =>
  createSessionKeeper(secret, subject).issue(at);

async function admin(method: string, path: string, body?: object) {
  const json = { Origin: origin, "Content-Type": "application/json" };
  const headers = { ...bearing(await team.mint({})), ...json };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return worker.ask("AccessFace", { method, path, headers, ...sent });
}

async function letIn(): Promise<string> {
  const { code } = JSON.parse((await admin("POST", "/api/apps/codes", {})).text);
  const answer = await worker.ask("AccessFace", {
    method: "POST",
    path: "/_moltworker/pair",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  return JSON.parse(answer.text).credential;
}

async function forged(alg: "none" | "HS256"): Promise<string> {
  const claims = { email: "owner@example.org", sub: "x" };
  const fill = <T extends UnsecuredJWT | SignJWT>(jwt: T): T => {
    jwt.setIssuer(team.origin).setAudience(AUDIENCE).setIssuedAt().setExpirationTime("1h");
    return jwt;
  };
  if (alg === "none") return `${fill(new UnsecuredJWT(claims)).encode()}AA`;
  const key = new TextEncoder().encode(await exportSPKI(team.publicKey()));
  const kid = "3".padStart(64, "0");
  return fill(new SignJWT(claims).setProtectedHeader({ alg, kid })).sign(key);
}

const IDENTITIES: Record<string, [Standing, () => Headers | Promise<Headers>]> = {
  anonymous: ["nobody", () => ({})],
  "the gateway token": ["agent", () => bearer(TOKEN)],
  "a session without the token": ["agent", async () => cookie(await session(TOKEN))],
  "an app's credential": ["agent", () => bearer(apps.live)],
  "an app's credential in a cookie": ["agent", () => cookie(apps.live)],
  "a removed app's credential": ["ended", () => bearer(apps.removed)],
  "a session that was signed out": ["ended", () => cookie(endedSession)],
  "a made-up app's credential": [
    "nobody",
    async () => bearer(await createAppKeeper(`${TOKEN}x`, "main").issue(Date.now())),
  ],
  "a wrong token": ["nobody", () => bearer("x".repeat(40))],
  "the token without its last character": ["nobody", () => bearer(TOKEN.slice(0, -1))],
  "the token in a header of ours": ["nobody", () => ({ "X-Moltworker-Token": TOKEN })],
  "the token as Basic": ["nobody", () => ({ Authorization: `Basic ${btoa(`a:${TOKEN}`)}` })],
  "the token for a cookie": ["nobody", () => cookie(TOKEN)],
  "an expired session": [
    "nobody",
    async () => cookie(await session(TOKEN, Date.now() - 25 * 3_600_000)),
  ],
  "a session from the future": [
    "nobody",
    async () => cookie(await session(TOKEN, Date.now() + 3_600_000)),
  ],
  "a session of another secret": ["nobody", async () => cookie(await session(`${TOKEN}x`))],
  "a session of another agent": [
    "nobody",
    async () => cookie(await session(TOKEN, Date.now(), "other")),
  ],
  "a session that was changed": [
    "nobody",
    async () => cookie((await session(TOKEN)).replace(/\.\d+\./, `.${Date.now() + 1000}.`)),
  ],
  "an Access user who is not listed": [
    "not listed",
    async () => bearing(await team.mint({ email: "eve@example.org" })),
  ],
  "a service token that is not listed": [
    "not listed",
    async () => bearing(await team.mint({ commonName: "eve.access" })),
  ],
  "an admin": ["admin", async () => bearing(await team.mint({}))],
  "a listed service token": [
    "admin",
    async () => bearing(await team.mint({ commonName: "0123abcd.access" })),
  ],
  "an admin by the rotated key": ["admin", () => bearing(byKey.present)],
  "an admin by the key before": ["admin", () => bearing(byKey.previous)],
  "an admin by a retired key": ["nobody", () => bearing(byKey.retired)],
  "an expired identity": [
    "nobody",
    async () => bearing(await team.mint({ issuedAt: seconds() - 7200, expiresAt: seconds() - 60 })),
  ],
  "the wrong audience": [
    "nobody",
    async () => bearing(await team.mint({ audience: ["f".repeat(64)] })),
  ],
  "the wrong issuer": [
    "nobody",
    async () => bearing(await team.mint({ issuer: "https://evil.cloudflareaccess.com" })),
  ],
  "alg none": ["nobody", async () => bearing(await forged("none"))],
  "HS256 with the public key": ["nobody", async () => bearing(await forged("HS256"))],
  "an unknown key id": ["nobody", async () => bearing(await team.mint({ kid: "unknown" }))],
  "an admin's identity in a cookie": [
    "nobody",
    async () => ({ Cookie: `CF_Authorization=${await team.mint({})}` }),
  ],
  "rubbish for an identity": ["nobody", () => bearing("a.b.c")],
};

interface Row {
  guard: "public" | "session" | "ws" | "admin" | "closed";
  /** What the agent's Durable Object is asked when the request was let in. */
  asks?: string[];
  /** The same when it was let in by its signature and the agent knows better. */
  ended?: { status: number; asks: string[] };
}

const ROWS: Record<string, Row> = {
  "/healthz": { guard: "public" },
  "/_moltworker/login": { guard: "public" },
  "/_moltworker/pair": { guard: "public" },
  "/assets/index-Ab12_-Zz.js": { guard: "public" },
  // The page itself holds nothing; its first script leads to the login.
  "/": { guard: "session", ended: { status: 200, asks: [] } },
  "/anything": { guard: "session", asks: ["fetch"] },
  "/_moltworker/session": { guard: "session", asks: ["session"] },
  "/_moltworker/bootstrap.js": {
    guard: "session",
    asks: ["session", "start"],
    ended: { status: 200, asks: ["session"] },
  },
  "/api/chat/media/x": { guard: "session", asks: ["fetch"] },
  "/ws": { guard: "ws", asks: ["fetch"] },
  "/_admin/": { guard: "admin" },
  "/_admin/devices": { guard: "admin" },
  "/api/status": { guard: "admin", asks: ["status"] },
  "/api/apps": { guard: "admin" },
  "/debug/version": { guard: "admin", asks: ["status"] },
  "/_moltworker/other": { guard: "closed" },
  "/_control-ui/index.html": { guard: "closed" },
  "/v1/models": { guard: "closed" },
  "/tools/invoke": { guard: "closed" },
  "/cdp/json/version": { guard: "closed" },
  "/cdn-cgi/access/certs": { guard: "closed" },
  "/sw.js": { guard: "closed" },
};

const STATUS: Record<Row["guard"], Record<Standing, number>> = {
  public: { agent: 200, ended: 200, admin: 200, "not listed": 200, nobody: 200 },
  session: { agent: 200, ended: 401, admin: 401, "not listed": 401, nobody: 401 },
  ws: { agent: 101, ended: 401, admin: 401, "not listed": 401, nobody: 401 },
  admin: { agent: 401, ended: 401, admin: 200, "not listed": 403, nobody: 401 },
  closed: { agent: 404, ended: 404, admin: 404, "not listed": 404, nobody: 404 },
};

const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

/** A client of its own each time, so that failed attempts do not add up. */
const ask = (path: string, guard: Row["guard"], identity: Headers) => {
  clients += 1;
  const client = `10.${clients >> 16}.${(clients >> 8) & 255}.${clients & 255}`;
  const shape = guard === "ws" ? { ...UPGRADE, Origin: origin } : {};
  return worker.ask("AccessFace", {
    path,
    headers: { "x-test-client": client, ...shape, ...identity },
  });
};

/** Another case is another path where the Worker has no name of its own. */
const LETTERS = new Set(["an upper case letter", "all upper case"]);
const OWN = /^\/(_|api|assets|cdn-cgi|cdp|debug|healthz|tools|v1|ws)/;
const variantsOf = (path: string): string[] =>
  Object.entries(PATH_VARIANTS)
    .filter(([name]) => OWN.test(path) || !LETTERS.has(name))
    .map(([, vary]) => vary(path))
    .filter((spelled) => spelled !== path);

function expected(standing: Standing, { guard, asks = [], ended }: Row) {
  const status = STATUS[guard][standing];
  if (standing !== "ended" || (guard !== "session" && guard !== "ws")) {
    return { status, asks: status < 300 ? asks : [] };
  }
  return ended ?? { status, asks };
}

describe.each(Object.entries(IDENTITIES))("%s", (_who, [standing, headersOf]) => {
  test.each(Object.entries(ROWS))("at %s", async (path, row) => {
    const identity = await headersOf();
    const answer = await ask(path, row.guard, identity);
    const { status, asks } = expected(standing, row);
    expect(answer.status).toBe(status);
    expect((await worker.calls()).map(({ name }) => name)).toEqual(asks);
    const passed = standing === "agent" && row.guard === "session";
    expect(answer.text.includes("from the agent")).toBe(passed && asks.includes("fetch"));
    expect(answer.text.includes("-token-0123456789")).toBe(passed && asks.includes("session"));

    const spelled = await Promise.all(
      variantsOf(path).map(
        async (other) => [other, await ask(other, row.guard, identity)] as const,
      ),
    );
    expect(spelled.length).toBeGreaterThan(15);
    for (const [other, { status: code, text }] of spelled) {
      expect([other, code, text.includes("malformed_path")]).toEqual([other, 400, true]);
    }
    expect(await worker.calls()).toEqual([]);
  });
});
