import { chromium, type Browser, type BrowserContext } from "playwright-core";
import { connect as connectPuppeteer } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import * as z from "zod";
import {
  CDP_SECRET,
  SECRET_HEADERS,
  startBrowserRig,
  type BrowserRig,
} from "../support/browser-rig.ts";
import { startSite, type Site } from "../support/browser-site.ts";

/** A busy machine takes its time. */
const patient = { timeout: 30_000 };

let rig: BrowserRig;
let site: Site;

beforeAll(async () => {
  site = await startSite();
  rig = await startBrowserRig({ private: [`127.0.0.1:${site.port}`] });
});
afterAll(async () => {
  await rig?.close();
  await site?.close();
});

const version = z.object({ Browser: z.string(), webSocketDebuggerUrl: z.string() });

async function json(base: string, path: string, init: RequestInit = {}): Promise<unknown> {
  const reply = await fetch(`${base}${path}`, { headers: SECRET_HEADERS, ...init });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

describe("DevTools' HTTP interface from outside", () => {
  test("names the address that the client used", async () => {
    const told = version.parse(await json(rig.outside, "/cdp/json/version"));
    expect(told.Browser).toMatch(/Chrome/);
    const host = new URL(rig.outside).host;
    expect(told.webSocketDebuggerUrl).toMatch(
      new RegExp(`^ws://${host}/cdp/devtools/browser/[0-9a-f-]{36}$`),
    );
  });

  test("opens, lists, activates and closes pages", async () => {
    const page = z.object({ id: z.string(), url: z.string(), webSocketDebuggerUrl: z.string() });
    const opened = page.parse(
      await json(rig.outside, `/cdp/json/new?${site.origin}/second`, { method: "PUT" }),
    );
    expect(opened.webSocketDebuggerUrl).toContain(`/cdp/devtools/page/${opened.id}`);
    await expect.poll(() => site.asked, patient).toContain("/second");
    const listed = z.array(page).parse(await json(rig.outside, "/cdp/json/list"));
    expect(listed.map(({ id }) => id)).toContain(opened.id);
    expect(z.array(page).parse(await json(rig.outside, "/cdp/json")).length).toBe(listed.length);
    for (const action of ["activate", "close"]) {
      const reply = await fetch(`${rig.outside}/cdp/json/${action}/${opened.id}`, {
        headers: SECRET_HEADERS,
      });
      expect(reply.status).toBe(200);
    }
    const left = async () => z.array(page).parse(await json(rig.outside, "/cdp/json/list"));
    const ids = async () => (await left()).map(({ id }) => id);
    await expect.poll(ids, patient).not.toContain(opened.id);
    // The package's Chromium ends when it is asked for what it was built without.
    const described = await fetch(`${rig.outside}/cdp/json/protocol`, { headers: SECRET_HEADERS });
    expect(described.ok ? await described.text() : described.status).toSatisfy(
      (said) => said === 501 || String(said).includes('"domain"'),
    );
    await json(rig.outside, "/cdp/json/version");
  });
});

describe.each(["outside", "inside"] as const)("playwright-core from %s", (where) => {
  let browser: Browser;
  let context: BrowserContext;
  const endpoint = () => (where === "outside" ? `${rig.outside}/cdp` : rig.inside);
  const connect = () =>
    chromium.connectOverCDP(endpoint(), where === "outside" ? { headers: SECRET_HEADERS } : {});

  beforeAll(async () => {
    browser = await connect();
  });
  afterAll(() => browser?.close());
  afterEach(() => context?.close());

  test("opens, types, clicks, evaluates, takes pictures and prints", async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${site.origin}/`);
    await page.fill("#name", "Ada");
    await page.click("#go");
    expect(await page.title()).toBe("hello Ada");
    expect(await page.evaluate(() => 6 * 7)).toBe(42);
    expect((await page.screenshot()).subarray(1, 4).toString()).toBe("PNG");
    expect((await page.pdf()).subarray(0, 4).toString()).toBe("%PDF");
    await page.click("#next");
    await page.waitForURL(/second/);
    expect(await page.textContent("p")).toBe("second page");
  });

  test("answers requests of pages itself", async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    await page.route("**/data", (route) => route.fulfill({ json: { from: "the client" } }));
    await page.goto(`${site.origin}/`);
    const got = await page.evaluate(() => fetch("/data").then((reply) => reply.json()));
    expect(got).toEqual({ from: "the client" });
  });

  test("keeps contexts and pages apart", async () => {
    context = await browser.newContext();
    const other = await browser.newContext();
    await context.addCookies([{ name: "a", value: "1", url: site.origin }]);
    const pages = await Promise.all([context.newPage(), context.newPage(), other.newPage()]);
    await Promise.all(pages.map((page) => page.goto(`${site.origin}/second`)));
    expect(await other.cookies()).toEqual([]);
    expect(context.pages().length).toBe(2);
    await other.close();
  });

  test("reads a download, a worker, a frame and a WebSocket of a page", async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${site.origin}/worker`);
    await page.waitForFunction(`document.title === "from the worker"`);
    await page.goto(`${site.origin}/socket`);
    await page.waitForFunction(`document.title === "echo"`);
    await page.goto(`${site.origin}/frame`);
    expect(page.frames().length).toBe(2);
    await page.goto(`${site.origin}/`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#file")]);
    expect(download.suggestedFilename()).toBe("file");
    expect(await download.failure()).toBeNull();
  });

  test("carries messages of 20 MB both ways", async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    const size = 20 * 1024 * 1024;
    const text = "x".repeat(size);
    expect(await page.evaluate((given) => given.length, text)).toBe(size);
    expect((await page.evaluate((length) => "y".repeat(length), size)).length).toBe(size);
  });

  test("finds its browser again after it went away", async () => {
    context = await browser.newContext();
    await browser.close();
    browser = await connect();
    const [first] = browser.contexts();
    const page = await first?.newPage();
    await page?.goto(`${site.origin}/second`);
    expect(await page?.title()).toBe("Second");
  });
});

describe("puppeteer-core", () => {
  test("drives the same browser from outside", async () => {
    const { webSocketDebuggerUrl } = version.parse(await json(rig.outside, "/cdp/json/version"));
    const browser = await connectPuppeteer({
      browserWSEndpoint: webSocketDebuggerUrl,
      headers: SECRET_HEADERS,
    });
    const page = await browser.newPage();
    await page.setRequestInterception(true);
    page.on("request", (request) =>
      request.url().endsWith("/data")
        ? void request.respond({ contentType: "application/json", body: '"mine"' })
        : void request.continue(),
    );
    await page.goto(`${site.origin}/`);
    await page.type("#name", "Grace");
    await page.click("#go");
    expect(await page.title()).toBe("hello Grace");
    expect(await page.evaluate(() => fetch("/data").then((reply) => reply.json()))).toBe("mine");
    expect((await page.screenshot()).length).toBeGreaterThan(500);
    expect((await page.pdf()).length).toBeGreaterThan(500);
    await page.close();
    await browser.disconnect();
  });

  test("finds it by the debugging port from inside", async () => {
    const browser = await connectPuppeteer({ browserURL: rig.inside });
    const page = await browser.newPage();
    await page.goto(`${site.origin}/second`);
    expect(await page.title()).toBe("Second");
    await page.close();
    await browser.disconnect();
  });
});

test("no command that is sent right after connecting is lost", async () => {
  const { webSocketDebuggerUrl } = version.parse(await json(rig.outside, "/cdp/json/version"));
  for (let round = 0; round < 20; round += 1) {
    const socket = new WebSocket(webSocketDebuggerUrl, { headers: SECRET_HEADERS });
    const answered = new Set<number>();
    await new Promise<void>((resolve, reject) => {
      socket.on("open", () => {
        for (let id = 1; id <= 50; id += 1) {
          socket.send(JSON.stringify({ id, method: "Browser.getVersion" }));
        }
      });
      socket.on("message", (data) => {
        answered.add(z.object({ id: z.number() }).parse(JSON.parse(String(data))).id);
        if (answered.size === 50) resolve();
      });
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`closed after ${answered.size}`)));
    });
    socket.terminate();
    expect(answered.size).toBe(50);
  }
});

test("nothing that is typed, no cookie and no secret is in a log", async () => {
  const browser = await chromium.connectOverCDP(`${rig.outside}/cdp`, { headers: SECRET_HEADERS });
  const context = await browser.newContext();
  await context.addCookies([{ name: "session", value: "cookie-value-5309", url: site.origin }]);
  const page = await context.newPage();
  await page.goto(`${site.origin}/?question=asked-7714#part`);
  await page.fill("#name", "typed-password-8821");
  await page.evaluate(() => console.error("typed-password-8821"));
  const seen = await rig.overview();
  await browser.close();
  const said = `${rig.logs.join("\n")}${JSON.stringify(seen)}`;
  expect(seen.visited.map(({ url }) => url)).toContain(`${site.origin}/`);
  for (const secret of ["typed-password-8821", "cookie-value-5309", "asked-7714", CDP_SECRET]) {
    expect(said).not.toContain(secret);
  }
});
