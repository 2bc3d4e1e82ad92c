/** The browser room of the admin page, over a real Chromium of this machine, and its admin API. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLocalBrowser, type OpenedBrowser } from "../../src/local/browser/open.ts";
import { axeViolations, openAdminPage, type Screen } from "../support/admin-browser.ts";
import { CDP_SECRET, SECRET_HEADERS } from "../support/browser-rig.ts";
import { startSite, type Site } from "../support/browser-site.ts";
import { chromiumPath, launchChromium } from "../support/chromium.ts";
import { startWorkerServer, type WorkerServer } from "../support/worker-server.ts";

/** A busy machine takes its time. */
const patient = { timeout: 30_000 };

let folder: string;
let site: Site;
let local: Extract<OpenedBrowser, { ok: true }>;
let worker: WorkerServer;
let browser: Browser;
let origin = "";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "browser-page-"));
  site = await startSite();
  const opened = await openLocalBrowser({
    chromium: await chromiumPath(),
    stateDir: folder,
    policy: {
      allow: [],
      deny: [],
      private: [{ kind: "exact", host: "127.0.0.1", port: site.port }],
    },
  });
  if (!opened.ok) throw new Error(opened.reason);
  local = opened;
  worker = await startWorkerServer(
    { CDP_SECRET, BROWSER_DAY_CAP: "90m" },
    { browserSocket: local.socketPath },
  );
  browser = await launchChromium();
  ({ origin } = await worker.address("AdminFace"));
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
  await local?.close();
  await site?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const open = (screen: Partial<Screen> = {}) =>
  openAdminPage(browser, origin, { locale: "en-US", room: "browser", ...screen });

/** A program outside opens a page, in a session of its own. */
async function openPage(address: string, session = "shared"): Promise<void> {
  const agent = await worker.address("AgentFace");
  const query = session === "shared" ? "" : `&session=${session}`;
  const reply = await fetch(
    `${agent.origin}/cdp/json/new?url=${encodeURIComponent(address)}${query}`,
    { method: "PUT", headers: SECRET_HEADERS },
  );
  expect(reply.status).toBe(200);
}

async function fits(page: Page, errors: string[]): Promise<void> {
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
  expect(await axeViolations(page)).toEqual([]);
  expect(errors).toEqual([]);
}

const SCREENS = [
  ["en-US", "Browser", 1100, false],
  ["zh-CN", "浏览器", 1100, true],
  ["en-US", "Browser", 375, true],
  ["zh-CN", "浏览器", 375, false],
] as const;

describe("the browser room", () => {
  test.each(SCREENS)(
    "in %s as %s, %i wide, dark %s: shows the session, its page and today's time, fits, and axe finds nothing",
    async (locale, title, width, dark) => {
      await openPage(`${site.origin}/second?question=asked-7714`);
      const { page, errors } = await open({ locale, width, dark });
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      await page.getByText(`${site.origin}/second`).first().waitFor();
      expect(await page.getByRole("meter").getAttribute("aria-valuemax")).toBe("5400000");
      await page.locator("time").first().waitFor();
      expect(await page.content()).not.toContain("asked-7714");
      await fits(page, errors);
    },
  );

  test("says who opened a session and from where, and releases it by keyboard after a question", async () => {
    for (const url of [`${site.origin}/`, `${site.origin}/second`]) await openPage(url, "new");
    const { page, errors } = await open({ width: 375 });
    const release = page.getByRole("button", { name: /^Release: A program outside/ });
    await expect.poll(() => release.count(), patient).toBeGreaterThanOrEqual(2);
    expect(await page.textContent("main")).toContain("198.51.100.7");
    const before = local.sessions.list().length;
    await release.last().focus();
    await page.keyboard.press("Enter");
    const question = page.getByRole("alertdialog", { name: "Release this session?" });
    await question.waitFor();
    await expect.poll(() => axeViolations(page), patient).toEqual([]);
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
    expect(local.sessions.list().length).toBe(before);
    await release.last().click();
    await question.getByRole("button", { name: "Release" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("The session is released.").first().waitFor();
    await expect.poll(() => local.sessions.list().length, patient).toBe(before - 1);
    await expect.poll(() => release.count(), patient).toBe(before - 1);
    // What was open stays among the pages visited.
    const visited = page.getByRole("region", { name: "Last pages visited" });
    await visited.getByText(`${site.origin}/`, { exact: true }).waitFor();
    expect(errors).toEqual([]);
    await page.goto(`${origin}/_admin/audit`);
    await page.getByText("ended a browser session").first().waitFor();
  });

  test("a page that is another's text stays text", async () => {
    await openPage(`${site.origin}/${encodeURIComponent("<img src=x onerror=alert(1)>")}`);
    const { page, errors } = await open();
    await page.getByText("%3Cimg").first().waitFor();
    expect(await page.locator("main a").count()).toBe(0);
    expect(errors).toEqual([]);
  });
});

describe("where no browser is bound", () => {
  let without: WorkerServer;
  beforeAll(async () => {
    without = await startWorkerServer({ CDP_SECRET });
  });
  afterAll(() => without?.close());

  test.each(SCREENS)(
    "in %s as %s, %i wide, dark %s: says that browsing is off and how to switch it on",
    async (locale, title, width, dark) => {
      const { origin: off } = await without.address("AdminFace");
      const screen = { locale, room: "browser", width, dark };
      const { page, errors } = await openAdminPage(browser, off, screen);
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      await page.getByText(locale === "en-US" ? "Browsing is off" : "浏览功能已关闭").waitFor();
      expect(await page.textContent("main")).toContain("--browser");
      await fits(page, errors);
    },
  );

  test("a program outside is told the same", async () => {
    const { origin: off } = await without.address("AgentFace");
    const reply = await fetch(`${off}/cdp/json/version`, { headers: SECRET_HEADERS });
    expect(reply.status).toBe(503);
    expect(await reply.json()).toMatchObject({
      error: { code: "browser_off", message: expect.stringMatching(/--browser/) },
    });
  });
});
