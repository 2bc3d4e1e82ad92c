/** Apps and phones: from a code on the admin page to a credential of their own, and out again. */
import type { Browser } from "playwright-core";
import { encode } from "uqr";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { appsReply, newCodeReply } from "../../src/protocol/admin-apps.ts";
import { auditReply } from "../../src/protocol/admin-audit.ts";
import { exchangeReply, pairLink } from "../../src/protocol/apps.ts";
import { createPairingCodes } from "../../src/worker/apps/code.ts";
import { AUDIENCE, createAccessTeam, TEAM, type AccessTeam } from "../emulators/access.ts";
import { axeViolations, openAdminPage } from "../support/admin-browser.ts";
import { launchChromium } from "../support/chromium.ts";
import {
  startWorkerServer,
  TOKEN,
  type Answer,
  type WorkerServer,
} from "../support/worker-server.ts";

const PATH = "/_moltworker/pair";
const DEVICE = "ab".repeat(32);
let team: AccessTeam;
let worker: WorkerServer;
let clients = 0;

beforeAll(async () => {
  team = await createAccessTeam();
  worker = await startWorkerServer(
    {
      CF_ACCESS_TEAM_DOMAIN: `https://${TEAM}`,
      CF_ACCESS_AUD: AUDIENCE,
      ADMIN_EMAILS: "owner@example.org",
    },
    { outside: (request) => team.answer(request) },
  );
});
afterAll(() => worker.close());
beforeEach(async () => {
  clients += 1;
  await worker.calls();
});

type Headers = Record<string, string>;
/** A client of its own a test, so that failed attempts of one do not slow down another. */
const ask = (method: string, path: string, headers: Headers = {}, body?: string) =>
  worker.ask("AccessFace", {
    ...{ method, path, headers: { "x-test-client": `198.51.100.${clients % 250}`, ...headers } },
    ...(body === undefined ? {} : { body }),
  });

async function admin(method: string, path: string, body?: object): Promise<Answer> {
  const { origin } = await worker.address("AccessFace");
  const headers = {
    "Cf-Access-Jwt-Assertion": await team.mint({}),
    Origin: origin,
    "Content-Type": "application/json",
  };
  return ask(method, path, headers, body === undefined ? undefined : JSON.stringify(body));
}

const newCode = async (name?: string) =>
  newCodeReply.parse(
    JSON.parse((await admin("POST", "/api/apps/codes", name === undefined ? {} : { name })).text),
  );
const listed = async () => appsReply.parse(JSON.parse((await admin("GET", "/api/apps")).text));
const audited = async () =>
  auditReply.parse(JSON.parse((await admin("GET", "/api/audit")).text)).entries;
const exchange = (body: object, headers: Headers = {}) =>
  ask("POST", PATH, { "Content-Type": "application/json", ...headers }, JSON.stringify(body));
async function letIn(name?: string): Promise<{ credential: string; app: string }> {
  const { code } = await newCode(name);
  return exchangeReply.parse(JSON.parse((await exchange({ code })).text));
}
const upgrade = (path: string, headers: Headers = {}) =>
  ask("GET", path, {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    ...headers,
  });
const errorOf = ({ text }: Answer): unknown => JSON.parse(text).error.code;

describe("a code", () => {
  test("is told once, with what a QR picture holds, and is listed without itself", async () => {
    const { origin } = await worker.address("AccessFace");
    const made = await newCode("Kitchen tablet");
    expect(made.link).toBe(`${origin}${PATH}#${made.code}`);
    expect(made.expiresAt - Date.now()).toBeGreaterThan(9 * 60_000);
    const { codes } = await listed();
    expect(codes[0]).toMatchObject({ name: "Kitchen tablet", by: "owner@example.org" });
    expect(JSON.stringify(codes)).not.toContain(made.code);
    expect((await audited())[0]).toMatchObject({
      kind: "app-code-made",
      who: "owner@example.org",
      detail: "Kitchen tablet",
    });
  });

  test("names the address that people open, when the Worker was told it", async () => {
    const told = await startWorkerServer(
      {
        CF_ACCESS_TEAM_DOMAIN: `https://${TEAM}`,
        CF_ACCESS_AUD: AUDIENCE,
        ADMIN_EMAILS: "owner@example.org",
        WORKER_URL: "https://agent.example.org",
      },
      { outside: (request) => team.answer(request) },
    );
    try {
      const made = await told.ask("AccessFace", {
        method: "POST",
        path: "/api/apps/codes",
        headers: {
          "Cf-Access-Jwt-Assertion": await team.mint({}),
          Origin: (await told.address("AccessFace")).origin,
          "Content-Type": "application/json",
        },
        body: "{}",
      });
      const { link } = newCodeReply.parse(JSON.parse(made.text));
      expect(link).toMatch(/^https:\/\/agent\.example\.org\/_moltworker\/pair#/);
    } finally {
      await told.close();
    }
  });

  test("counts once, also for many that try it at the same time", async () => {
    const { code } = await newCode();
    const answers = await Promise.all(Array.from({ length: 5 }, () => exchange({ code })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401]);
    expect(errorOf(await exchange({ code }))).toBe("code_over");
  });

  test("stops counting when an admin drops it", async () => {
    const { code } = await newCode();
    expect((await admin("DELETE", "/api/apps/codes")).status).toBe(200);
    expect((await listed()).codes).toEqual([]);
    expect(errorOf(await exchange({ code }))).toBe("code_over");
  });

  test("is kept for the newest five only", async () => {
    const first = await newCode();
    for (let more = 0; more < 5; more += 1) await newCode();
    expect((await listed()).codes).toHaveLength(5);
    expect(errorOf(await exchange({ code: first.code }))).toBe("code_over");
  });

  test("that nobody noted is none, though its signature fits", async () => {
    const { code } = await createPairingCodes([TOKEN], "main").make();
    expect(errorOf(await exchange({ code }))).toBe("code_over");
  });

  test.each([
    ["{}", 400, "malformed_form"],
    ["[]", 400, "malformed_form"],
    ["{", 400, "malformed_form"],
    [JSON.stringify({ code: "x", role: "admin" }), 400, "malformed_form"],
    [JSON.stringify({ code: "x", deviceId: "zz" }), 400, "malformed_form"],
    [JSON.stringify({ code: "x".repeat(5000) }), 400, "malformed_form"],
    [JSON.stringify({ code: "0000-0000-0000-0000" }), 401, "wrong_code"],
  ])("%s is %i %s", async (body, status, code) => {
    const answer = await ask("POST", PATH, { "Content-Type": "application/json" }, body);
    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toBe(code);
    expect(await worker.calls()).toEqual([]);
  });

  test("is made by an admin alone", async () => {
    const { origin } = await worker.address("AccessFace");
    for (const headers of [{}, { Authorization: `Bearer ${TOKEN}` }]) {
      const json = { Origin: origin, "Content-Type": "application/json", ...headers };
      expect((await ask("POST", "/api/apps/codes", json, "{}")).status).toBe(401);
    }
  });
});

describe("a credential", () => {
  test("opens what the token opens and nothing of the admin's, and does not travel on", async () => {
    const { credential, app } = await letIn("Phone");
    await worker.calls();
    const bearing = { Authorization: `Bearer ${credential}` };
    const session = await ask("GET", "/_moltworker/session", bearing);
    expect(JSON.parse(session.text)).toMatchObject({ agentId: "main" });
    expect((await ask("GET", "/anything", bearing)).text).toBe("from the agent");
    expect((await upgrade("/ws", bearing)).status).toBe(101);
    expect((await upgrade(`/ws?token=${credential}&v=4`)).status).toBe(101);
    const calls = await worker.calls();
    expect(calls.map(({ name }) => name)).toEqual(["session", "fetch", "fetch", "fetch"]);
    expect(JSON.stringify(calls)).not.toContain(credential);
    expect(calls[1]?.args[0]).toMatchObject({ headers: { "x-moltworker-app": app } });
    expect(calls[3]?.args[0]).toMatchObject({ url: expect.stringMatching(/\?v=4$/) });
    for (const path of ["/_admin/", "/api/status", "/api/apps"]) {
      expect((await ask("GET", path, bearing)).status).toBe(401);
    }
    expect((await ask("GET", `/anything?token=${credential}`)).status).toBe(401);
  });

  test("cannot be claimed by a header", async () => {
    const { app } = await letIn();
    expect((await ask("GET", "/anything", { "x-moltworker-app": app })).status).toBe(401);
  });

  test.each(["a1.main.1.x.y", `a1.main.1.${"A".repeat(24)}.${"A".repeat(43)}`])(
    "that nobody issued (%s) is a wrong one",
    async (value) => {
      const bearing = { Authorization: `Bearer ${value}` };
      expect((await ask("GET", "/anything", bearing)).status).toBe(401);
      expect((await ask("GET", "/_moltworker/session", bearing)).status).toBe(401);
      expect(await worker.calls()).toEqual([]);
    },
  );

  test("is listed with who let it in, from where and when it was seen, and ends when it is removed", async () => {
    const { credential, app } = await letIn("Kitchen tablet");
    const bearing = { Authorization: `Bearer ${credential}` };
    const before = Date.now();
    expect((await ask("GET", "/anything", bearing)).status).toBe(200);
    const found = (await listed()).apps.find(({ id }) => id === app);
    expect(found).toMatchObject({ name: "Kitchen tablet", by: "owner@example.org" });
    expect(found?.from).toMatch(/^198\.51\.100\./);
    expect(found?.lastSeenAt).toBeGreaterThanOrEqual(before);
    expect((await admin("DELETE", `/api/apps/${app}`)).status).toBe(200);
    expect((await ask("GET", "/anything", bearing)).status).toBe(401);
    expect((await ask("GET", "/_moltworker/session", bearing)).status).toBe(401);
    expect((await upgrade("/ws", bearing)).status).not.toBe(101);
    expect((await admin("DELETE", `/api/apps/${app}`)).status).toBe(409);
    expect((await admin("DELETE", "/api/apps/none")).status).toBe(400);
    const kinds = (await audited()).slice(0, 2).map(({ kind }) => kind);
    expect(kinds).toEqual(["app-removed", "app-let-in"]);
  });

  test("ends with every session when everything is signed out, and with it the codes", async () => {
    const { credential } = await letIn();
    const { code } = await newCode();
    expect((await admin("POST", "/api/security/end-sessions", {})).status).toBe(200);
    const bearing = { Authorization: `Bearer ${credential}` };
    expect((await ask("GET", "/anything", bearing)).status).toBe(401);
    expect(errorOf(await exchange({ code }))).toBe("code_over");
    expect(await listed()).toEqual({ apps: [], codes: [] });
  });

  test("vouches for the device that the app names", async () => {
    const { code } = await newCode();
    await worker.calls();
    const answer = await exchange({ code, name: "Watch", deviceId: DEVICE });
    const { app } = exchangeReply.parse(JSON.parse(answer.text));
    expect((await worker.calls()).map(({ name }) => name)).toContain("vouched");
    expect((await listed()).apps.find(({ id }) => id === app)).toMatchObject({
      name: "Watch",
      deviceId: DEVICE,
    });
  });
});

describe("a flood", () => {
  test("of made-up codes asks the agent nothing, is written down as sums and keeps nobody else out", async () => {
    const { code } = await newCode();
    await worker.calls();
    const before = await worker.writes();
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        exchange(
          { code: `${String(n).padStart(4, "0")}-0000-0000-0000` },
          { "x-test-client": `203.0.113.${n % 200}` },
        ),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await worker.calls()).toEqual([]);
    expect((await worker.writes()) - before).toBeLessThanOrEqual(1);
    expect((await exchange({ code })).status).toBe(200);
  });

  test("of one client is stopped, also with a real code", async () => {
    const { code } = await newCode();
    for (let n = 0; n < 10; n += 1) {
      expect((await exchange({ code: "0000-0000-0000-0000" })).status).toBe(401);
    }
    const stopped = await exchange({ code });
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers["retry-after"])).toBeGreaterThan(0);
  });
});

describe("the form", () => {
  test("is a page of ours that runs one script and is in no frame", async () => {
    const page = await ask("GET", PATH, { Accept: "text/html" });
    const policy = page.headers["content-security-policy"] ?? "";
    expect(policy).toMatch(/default-src 'none'; .*script-src 'nonce-[\w-]+';/);
    expect(policy).toContain("frame-ancestors 'none'");
    const chinese = await ask("GET", PATH, { "Accept-Language": "zh-CN", Accept: "text/html" });
    expect(chinese.text).toContain("配对码");
    expect(await worker.calls()).toEqual([]);
  });

  test("is not taken from another site", async () => {
    const { code } = await newCode();
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    for (const headers of [{ Origin: "https://evil.example" }, { Origin: "null" }, {}]) {
      const answer = await ask("POST", PATH, { ...form, ...headers }, `code=${code}`);
      expect(answer.status).toBe(403);
      expect(answer.cookies).toEqual([]);
    }
    expect((await exchange({ code }, { Origin: "https://evil.example" })).status).toBe(403);
  });
});

describe("a phone's browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  test("that scanned the code is let in, and the code is in no address afterwards", async () => {
    const { link = "", code } = await newCode("My phone");
    const context = await browser.newContext({
      locale: "en-US",
      viewport: { width: 375, height: 667 },
    });
    const page = await context.newPage();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(link);
    expect(await page.getByLabel("Pairing code").inputValue()).toBe(code);
    expect(page.url()).not.toContain(code);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.waitForURL((url) => url.pathname === "/");
    expect(await page.title()).toBe("Control UI");
    expect(asked.join(" ")).not.toContain(code);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax" });
    expect((await listed()).apps.map(({ name }) => name)).toContain("My phone");
  });

  test("that types a wrong code is told so", async () => {
    const page = await (await browser.newContext({ locale: "en-US" })).newPage();
    await page.goto(`${(await worker.address("AccessFace")).origin}${PATH}`);
    await page.getByLabel("Pairing code").fill("0000-0000-0000-0000");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    expect(await page.textContent("main")).toContain("not a code of this agent");
  });
});

describe("the admin page", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  test.each([
    [
      "en-US",
      "Let in an app or phone",
      "Pairing code as a QR picture",
      "Remove: Page tablet",
      1100,
    ],
    ["zh-CN", "允许应用或手机进入", "配对码的二维码图片", "移除：Page tablet", 375],
  ] as const)(
    "in %s makes a code, shows it as text and picture, and follows what becomes of it",
    async (locale, make, picture, remove, width) => {
      const { origin } = await worker.address("AdminFace");
      const { page, errors } = await openAdminPage(browser, origin, {
        ...{ locale, room: "devices", width, dark: width === 375 },
      });
      await page.getByRole("button", { name: make }).focus();
      await page.keyboard.press("Enter");
      const drawn = page.getByRole("img", { name: picture });
      await drawn.waitFor();
      const code = (await page.getByText(/^(\w{4}-){3}\w{4}$/).textContent()) ?? "";
      const { data } = encode(pairLink(origin, code), { ecc: "M", border: 4 });
      const dark = data.flat().filter((black) => black).length;
      const path = (await drawn.locator("path").getAttribute("d")) ?? "";
      expect(path.split("M").length - 1).toBe(dark);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
      expect(await axeViolations(page)).toEqual([]);

      const answer = await exchange({ code, name: "Page tablet" });
      const { credential } = exchangeReply.parse(JSON.parse(answer.text));
      // Nobody touched the page.
      await page.getByRole("button", { name: remove }).waitFor();
      await drawn.waitFor({ state: "detached" });
      expect(await axeViolations(page)).toEqual([]);
      await page.getByRole("button", { name: remove }).click();
      await page.getByRole("alertdialog").getByRole("button").last().click();
      await page.getByRole("button", { name: remove }).waitFor({ state: "detached" });
      const bearing = { Authorization: `Bearer ${credential}` };
      expect((await ask("GET", "/anything", bearing)).status).toBe(401);
      expect(errors).toEqual([]);
      await page.context().close();
    },
  );
});

test("neither a code nor a credential is in a log or the audit log", async () => {
  const { code } = await newCode();
  const { credential } = exchangeReply.parse(JSON.parse((await exchange({ code })).text));
  await ask("GET", "/anything", { Authorization: `Bearer ${credential}` });
  await upgrade(`/ws?token=${credential}`);
  const seen = `${worker.logs.join("\n")}${(await admin("GET", "/api/audit/export")).text}`;
  expect(seen).not.toContain(code);
  expect(seen).not.toContain(code.replaceAll("-", ""));
  expect(seen).not.toContain(credential);
});
