import { exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import { beforeEach, expect, test } from "vitest";
import { AUDIENCE, createAccessTeam, type AccessTeam } from "../../../../test/emulators/access.ts";
import { createAccessVerifier } from "./verifier.ts";

const NOW = Date.UTC(2030, 0, 15, 12);
const SECONDS = NOW / 1000;
let team: AccessTeam;

beforeEach(async () => {
  team = await createAccessTeam(() => NOW);
});

function verifier() {
  return createAccessVerifier(
    {
      teamOrigin: team.origin,
      audiences: ["b".repeat(64), AUDIENCE],
      adminEmails: ["owner@example.org"],
      adminServiceTokens: ["robot.access"],
    },
    (url, init) => team.answer(new Request(url, init)),
  );
}

function asked(token: string | undefined, headers: Record<string, string> = {}): Request {
  return new Request("https://agent.example.org/_admin/?room=logs", {
    headers: { ...(token === undefined ? {} : { "cf-access-jwt-assertion": token }), ...headers },
  });
}

test("a listed person is an admin, whatever the case of the address", async () => {
  const token = await team.mint({ email: "Owner@Example.ORG" });
  expect(await verifier().verify(asked(token), NOW)).toEqual({
    ok: true,
    identity: { name: "owner@example.org", program: false },
  });
});

test("a listed service token is an admin by its client id", async () => {
  const token = await team.mint({ commonName: "robot.access" });
  expect(await verifier().verify(asked(token), NOW)).toEqual({
    ok: true,
    identity: { name: "service token robot.access", program: true },
  });
});

const REFUSED: [string, number, string, () => Promise<string | undefined>][] = [
  ["no token", 401, "no access token", async () => undefined],
  ["text that is no token", 401, "malformed", async () => "not.a.token!"],
  ["an endless token", 401, "malformed", async () => `a.${"b".repeat(9000)}.c`],
  [
    "a person who is not listed",
    403,
    "not on the list",
    () => team.mint({ email: "eve@example.org" }),
  ],
  [
    "a service token that is not listed",
    403,
    "not on the list",
    () => team.mint({ commonName: "eve.access" }),
  ],
  [
    "a service token named like an admin",
    403,
    "not on the list",
    () => team.mint({ commonName: "owner@example.org" }),
  ],
  [
    "both a person and a service token",
    401,
    "claims",
    () => team.mint({ commonName: "robot.access", claims: { email: "owner@example.org" } }),
  ],
  ["neither", 401, "claims", () => team.mint({ claims: { email: undefined } })],
  [
    "an expired token",
    401,
    "expired",
    () => team.mint({ issuedAt: SECONDS - 7200, expiresAt: SECONDS - 31 }),
  ],
  ["a token of tomorrow", 401, "not-yet", () => team.mint({ issuedAt: SECONDS + 120 })],
  [
    "a login of two days ago that Access still honours",
    401,
    "session-over",
    () => team.mint({ issuedAt: SECONDS - 2 * 86_400, expiresAt: SECONDS + 86_400 }),
  ],
  ["another audience", 401, "audience", () => team.mint({ audience: ["c".repeat(64)] })],
  ["no audience", 401, "audience", () => team.mint({ audience: [] })],
  ["another team", 401, "issuer", () => team.mint({ issuer: "https://evil.cloudflareaccess.com" })],
  [
    "the key address as issuer",
    401,
    "issuer",
    () => team.mint({ issuer: `${team.origin}/cdn-cgi/access/certs` }),
  ],
  ["an unknown key id", 401, "unknown-key", () => team.mint({ kid: "f".repeat(64) })],
  [
    "alg none",
    401,
    "algorithm",
    async () =>
      new UnsecuredJWT({ email: "owner@example.org", sub: "x" })
        .setIssuer(team.origin)
        .setAudience(AUDIENCE)
        .setIssuedAt(SECONDS)
        .setExpirationTime(SECONDS + 60)
        .encode()
        .concat("AA"),
  ],
  [
    "HS256 with the public key as secret",
    401,
    "algorithm",
    async () =>
      new SignJWT({ email: "owner@example.org", sub: "x" })
        .setProtectedHeader({ alg: "HS256", kid: "1".padStart(64, "0") })
        .setIssuer(team.origin)
        .setAudience(AUDIENCE)
        .setIssuedAt(SECONDS)
        .setExpirationTime(SECONDS + 60)
        .sign(new TextEncoder().encode(await exportSPKI(team.publicKey()))),
  ],
  [
    "a token without a key id",
    401,
    "unknown-key",
    async () => {
      const [, payload = "", signature = ""] = (await team.mint({})).split(".");
      return `${btoa('{"alg":"RS256"}').replaceAll("=", "")}.${payload}.${signature}`;
    },
  ],
  [
    "a changed claim",
    401,
    "signature",
    async () => {
      const [header = "", payload = "", signature = ""] = (
        await team.mint({ email: "eve@example.org" })
      ).split(".");
      const claims = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
      const forged = btoa(claims.replace("eve@", "owner@"))
        .replaceAll("+", "-")
        .replaceAll("/", "_");
      return `${header}.${forged.replaceAll("=", "")}.${signature}`;
    },
  ],
];

test.each(REFUSED)("%s is refused with %i", async (_name, status, reason, make) => {
  const check = await verifier().verify(asked(await make()), NOW);
  expect(check).toMatchObject({ ok: false, status });
  expect(check.ok ? "" : check.reason).toContain(reason);
  const body = check.ok ? undefined : await check.respond?.json();
  expect(body).toMatchObject({ error: { code: expect.stringMatching(/^(access_|not_an_admin)/) } });
});

test("the cookie of a valid token alone is nobody", async () => {
  const token = await team.mint({});
  const check = await verifier().verify(
    asked(undefined, { cookie: `CF_Authorization=${token}` }),
    NOW,
  );
  expect(check).toMatchObject({ ok: false, reason: "no access token" });
});

test("a browser is sent to the login and back to the page it asked for, once", async () => {
  const browser = { accept: "text/html", "sec-fetch-dest": "document" };
  const first = await verifier().verify(asked(undefined, browser), NOW);
  const answer = first.ok ? undefined : first.respond;
  expect(answer?.status).toBe(302);
  const login = new URL(answer?.headers.get("location") ?? "");
  expect(`${login.origin}${login.pathname}`).toBe(
    `${team.origin}/cdn-cgi/access/login/agent.example.org`,
  );
  expect(login.searchParams.get("redirect_url")).toBe("/_admin/?room=logs");
  const cookie = answer?.headers.get("set-cookie")?.split(";")[0] ?? "";

  const second = await verifier().verify(asked(undefined, { ...browser, cookie }), NOW);
  expect(second).toMatchObject({ ok: false, status: 401 });
  const page = second.ok ? "" : await second.respond?.text();
  expect(page).toContain("must cover this address");
  expect(page).toContain(login.href.replaceAll("&", "&amp;"));
});

test("a browser that is logged in as somebody else is told so instead of being sent around", async () => {
  const token = await team.mint({ email: "eve@example.org" });
  const check = await verifier().verify(asked(token, { "sec-fetch-dest": "document" }), NOW);
  expect(check).toMatchObject({ ok: false, status: 403 });
  expect(check.ok ? "" : await check.respond?.text()).toContain("ADMIN_EMAILS");
});

test("a session that outlived its day is not sent to a login that would hand the same token back", async () => {
  const token = await team.mint({ issuedAt: SECONDS - 90_000, expiresAt: SECONDS + 86_400 });
  const check = await verifier().verify(asked(token, { "sec-fetch-dest": "document" }), NOW);
  expect(check).toMatchObject({ ok: false, status: 401 });
  expect(check.ok ? "" : await check.respond?.text()).toContain("/cdn-cgi/access/logout");
});

test("every missing setting is named and closes the routes", async () => {
  const closed = createAccessVerifier(
    { audiences: [], adminEmails: [], adminServiceTokens: [] },
    () => Promise.reject(new Error("nothing is fetched")),
  );
  const check = await closed.verify(asked(await team.mint({})), NOW);
  expect(check).toMatchObject({ ok: false, status: 403 });
  const body = check.ok ? "" : await check.respond?.text();
  for (const name of ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "ADMIN_EMAILS"]) {
    expect(body).toContain(name);
  }
});

test("a rotated key is fetched when it is first seen, and the one before still counts", async () => {
  const access = verifier();
  const before = await team.mint({});
  expect((await access.verify(asked(before), NOW)).ok).toBe(true);
  await team.rotate();
  const after = await team.mint({});
  expect((await access.verify(asked(after), NOW + 31_000)).ok).toBe(true);
  expect((await access.verify(asked(before), NOW + 31_000)).ok).toBe(true);
  expect(team.certRequests()).toBe(2);
});

test("a flood of unknown key ids costs one fetch in 30 seconds and real admins nothing", async () => {
  const access = verifier();
  const real = await team.mint({});
  await access.verify(asked(real), NOW);
  const forged = await Promise.all(
    Array.from({ length: 200 }, (_, n) => team.mint({ kid: `unknown-${n}` })),
  );
  for (const later of [31_000, 40_000, 60_999]) {
    await Promise.all(forged.map((token) => access.verify(asked(token), NOW + later)));
    expect((await access.verify(asked(real), NOW + later)).ok).toBe(true);
  }
  expect(team.certRequests()).toBe(2);
  await access.verify(asked(forged[0]), NOW + 62_000);
  expect(team.certRequests()).toBe(3);
});

test("without keys nobody is an admin; with keys an outage of the team is survived for an hour", async () => {
  const access = verifier();
  const token = await team.mint({});
  team.failKeys(500);
  expect(await access.verify(asked(token), NOW)).toMatchObject({ ok: false, status: 503 });
  expect(await access.verify(asked(token), NOW + 500)).toMatchObject({ ok: false, status: 503 });
  expect(team.certRequests()).toBe(1);
  team.failKeys(undefined);
  expect((await access.verify(asked(token), NOW + 1500)).ok).toBe(true);
  team.failKeys(503);
  expect((await access.verify(asked(token), NOW + 3_000_000)).ok).toBe(true);
  expect(await access.verify(asked(token), NOW + 3_700_000)).toMatchObject({
    ok: false,
    status: 503,
  });
});
