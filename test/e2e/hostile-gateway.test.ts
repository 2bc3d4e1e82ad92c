/** A gateway under somebody else's control, visited by a person who is logged in everywhere. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { launchChromium } from "../support/chromium.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";

let stateDir: string;
let system: RunningSystem;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  stateDir = await makeStateDir();
  system = await startSystem({ stateDir, program: "test/support/hostile-start.ts" });
  browser = await launchChromium();
  context = await browser.newContext();
  const [name = "", value = ""] = system.adminCookie.split("=");
  await context.addCookies([
    { name, value, url: system.adminUrl, httpOnly: true, sameSite: "Strict" },
  ]);
  const page = await context.newPage();
  await page.goto(system.controlUi, { waitUntil: "domcontentloaded" });
  await page.close();
  await system.reach("ready");
});

afterAll(async () => {
  await browser?.close();
  await system?.stop();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

const echo = z.object({ headers: z.record(z.string(), z.unknown()), loot: z.array(z.string()) });

describe("a hostile gateway", () => {
  test.each(["/page", "/page.svg", "/page.xhtml", "/page.xml", "/anything/else"])(
    "runs no script in a browser that opens %s",
    async (path) => {
      await visit(path, async (page) => {
        expect(await page.title()).not.toBe("owned");
        for (const button of [page.locator("#send"), page.locator("#js")]) {
          if ((await button.count()) > 0) await button.click();
        }
        await sleep(200);
        expect(await page.title()).not.toBe("owned");
      });
    },
  );

  test.each(["/", "/chat", "/sw.js"])("has no say in what %s is", async (path) => {
    await visit(path, async (page) => {
      expect(await page.content()).not.toContain("innocent");
      expect(await page.title()).not.toBe("owned");
    });
  });

  test("has pages of no origin, which read nothing as the person who is logged in, could they run", async () => {
    await visit("/page", async (page) => {
      // The test's own script runs where the page's may not.
      expect(await page.evaluate("[location.pathname, origin]")).toEqual(["/page", "null"]);
      for (const to of [system.adminUrl, system.url]) {
        const read = await page
          .evaluate(
            `fetch(${JSON.stringify(`${to}/api/status`)}, { credentials: "include" }).then((r) => r.text())`,
          )
          .catch(String);
        expect(read).not.toContain("startGeneration");
      }
      await expect(page.evaluate("document.cookie")).rejects.toThrow("SecurityError");
    });
  });

  test("has a page without a type saved, not shown", async () => {
    await expect(visit("/untyped", async () => {})).rejects.toThrow("Download is starting");
  });

  test("changes no cookie, registers no service worker and stores nothing", async () => {
    const before = await context.cookies();
    await visit("/page", async () => {});
    expect(await context.cookies()).toEqual(before);
    expect(context.serviceWorkers()).toEqual([]);
    await visit(system.controlUi, async (page) => {
      expect(await page.evaluate("localStorage.getItem('owned')")).toBeNull();
      expect(
        await page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)"),
      ).toBe(0);
    });
  });

  test("reaches the admin's calls neither by redirect nor by form", async () => {
    for (const path of ["/api/agent/stop", "/api/status", "/_admin/"]) {
      const to = encodeURIComponent(`${system.adminUrl}${path}`);
      await visit(`/redirect?to=${to}`, async () => {});
    }
    expect((await system.status()).phase).toBe("ready");
  });

  test("gets nothing from the backups and commits nothing, whatever token it tries", async () => {
    const session = (await context.cookies(system.url)).find((one) => one.name.includes("session"));
    const generations = async () =>
      z
        .object({ generations: z.array(z.looseObject({ generation: z.number() })) })
        .parse(await system.admin("/api/backups"))
        .generations.map((one) => one.generation);
    await system.admin("/api/backups", { body: {} });
    const before = await generations();
    const response = await fetch(new URL("/against-backups", system.url), {
      headers: { Cookie: `${session?.name}=${session?.value}` },
    });
    const { tokens, answers } = z
      .object({ tokens: z.number(), answers: z.record(z.string(), z.array(z.number())) })
      .parse(await response.json());
    expect(tokens).toBeGreaterThan(3);
    expect(Object.keys(answers)).toHaveLength(11);
    const allowed = Object.entries(answers).filter(([, statuses]) =>
      statuses.some((status) => status !== 401 && status !== 403),
    );
    expect(allowed).toEqual([]);
    expect(await generations()).toEqual(before);
  });

  test("never sees a cookie, the edge's token or an address it could be fooled with", async () => {
    const session = (await context.cookies(system.url)).find((one) => one.name.includes("session"));
    const response = await fetch(new URL("/echo", system.url), {
      headers: {
        Cookie: `${session?.name}=${session?.value}; ${system.adminCookie}`,
        "X-Forwarded-For": "10.9.8.7",
        "X-Real-IP": "10.9.8.7",
        Forwarded: "for=10.9.8.7",
        "X-OpenClaw-Scopes": "operator.admin",
      },
    });
    const { headers, loot } = echo.parse(await response.json());
    const seen = JSON.stringify(headers);
    expect(headers["cookie"]).toBeUndefined();
    expect(headers["authorization"]).toBeUndefined();
    expect(seen).not.toContain("10.9.8.7");
    expect(seen).not.toContain("operator.admin");
    expect(seen).not.toContain(system.token);
    expect(seen).not.toContain(session?.value ?? "no session");
    expect(loot).toEqual([]);
  });

  test("is not asked for workers, and what it serves cannot outlive the page", async () => {
    const cookie = (await context.cookies(system.url))
      .map((one) => `${one.name}=${one.value}`)
      .join("; ");
    const script = await fetch(new URL("/worker.js", system.url), {
      headers: { Cookie: cookie, "Service-Worker": "script" },
    });
    expect(script.status).toBeGreaterThanOrEqual(400);
    const page = await fetch(new URL("/page", system.url), { headers: { Cookie: cookie } });
    expect(page.headers.get("content-security-policy")).toContain("sandbox");
    for (const name of ["set-cookie", "clear-site-data", "service-worker-allowed", "refresh"]) {
      expect(page.headers.get(name)).toBeNull();
    }
    expect(page.headers.get("access-control-allow-origin")).toBeNull();
  });
});

async function visit(path: string, look: (page: Page) => Promise<void>): Promise<void> {
  const page = await context.newPage();
  try {
    await page.goto(new URL(path, system.url).href, { waitUntil: "load" });
    await sleep(300);
    await look(page);
  } finally {
    await page.close();
  }
}
