/** The admin page in a real browser: every room in both languages, on a phone, by keyboard. */
import { gzipSync } from "node:zlib";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPaths, PROJECT_ROOT } from "../../src/build/paths.ts";
import { pairingCode } from "../../src/protocol/pairing.ts";
import { axeViolations, openAdminPage } from "../support/admin-browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startWorkerServer, type WorkerServer } from "../support/worker-server.ts";

const PLANTED = "sk-ant-planted-0123456789";

let worker: WorkerServer;
let browser: Browser;
let origin = "";

beforeAll(async () => {
  worker = await startWorkerServer(
    {
      ANTHROPIC_API_KEY: PLANTED,
      EGRESS_ALLOW: "api.weather.example",
    },
    {
      // The provider, which does not know the key.
      outside: async () => Response.json({ type: "error" }, { status: 401 }),
    },
  );
  browser = await launchChromium();
  ({ origin } = await worker.address("AdminFace"));
});
afterAll(async () => {
  await browser.close();
  await worker.close();
});

const open = (locale: "en-US" | "zh-CN", room = "", width = 1100, dark = false) =>
  openAdminPage(browser, origin, { locale, room, width, dark });

const ROOMS: [room: string, english: string, chinese: string, shows: string][] = [
  ["", "Overview", "概览", "OpenClaw 2026.9.6"],
  ["devices", "Devices", "设备", "Laptop"],
  ["egress", "Egress", "出站访问", "evil.example"],
  ["logs", "Logs", "日志", "telegram is slow"],
  ["settings", "Settings", "设置", "api.weather.example"],
  ["audit", "Audit", "审计", "local"],
];

describe.each(ROOMS)("the room at /_admin/%s", (room, english, chinese, shows) => {
  test.each([
    ["en-US", english, 1100, false],
    ["zh-CN", chinese, 1100, true],
    ["en-US", english, 375, true],
    ["zh-CN", chinese, 375, false],
  ] as const)(
    "in %s as %s, %i wide, dark %s: shows what it has, fits, and axe finds nothing",
    async (locale, title, width, dark) => {
      const { page, errors } = await open(locale, room, width, dark);
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      await page.getByText(shows).first().waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
      expect(await axeViolations(page)).toEqual([]);
      expect(await page.content()).not.toContain(PLANTED);
      expect(errors).toEqual([]);
    },
  );
});

test("a device that asks is approved with the keyboard, its name is text, and the list follows by itself", async () => {
  const { page, errors } = await open("en-US", "devices");
  const other = await open("en-US", "devices");
  const approve = page.getByRole("button", { name: /^Approve: <img/ });
  await approve.waitFor();
  await other.page.getByRole("button", { name: /^Approve: <img/ }).waitFor();
  expect(await page.textContent("main")).toContain(pairingCode("ab".repeat(32)));
  await worker.calls();
  await approve.focus();
  await page.keyboard.press("Enter");
  await page.getByText("No device is waiting.").waitFor();
  await page.getByText("The device is approved.").first().waitFor();
  expect((await worker.calls()).find(({ name }) => name === "devices.approve")?.args).toEqual([
    "ab".repeat(32),
    "local",
  ]);
  // Nobody touched the other page.
  await other.page.getByText("No device is waiting.").waitFor();
  expect(await page.title()).toBe("Your agent · moltworker");
  expect(errors).toEqual([]);
});

test("a device is renamed and removed, each after a question that can be left with Escape", async () => {
  const { page } = await open("en-US", "devices", 375);
  await worker.calls();
  await page.getByRole("button", { name: "Rename: Laptop" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Desk");
  await page.keyboard.press("Enter");
  await expect
    .poll(async () => (await worker.calls()).find(({ name }) => name === "devices.rename")?.args)
    .toEqual(["cd".repeat(32), "Desk"]);

  await page.getByRole("button", { name: "Remove: Laptop" }).click();
  const question = page.getByRole("alertdialog", { name: "Remove the device?" });
  await question.waitFor();
  // While it fades in its colours are not its own.
  await expect.poll(() => axeViolations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "hidden" });
  expect((await worker.calls()).filter(({ name }) => name === "devices.remove")).toEqual([]);
  await page.getByRole("button", { name: "Remove: Laptop" }).click();
  await question.getByRole("button", { name: "Remove" }).click();
  await expect
    .poll(async () => (await worker.calls()).find(({ name }) => name === "devices.remove")?.args)
    .toEqual(["cd".repeat(32), { by: "local", from: "198.51.100.7" }]);
});

test("what the agent refuses is said in its words", async () => {
  const { page } = await open("en-US");
  await page.getByRole("button", { name: "Restart" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Restart" }).click();
  await page.getByText("not running").first().waitFor();
  expect((await worker.calls()).map(({ name }) => name)).toContain("restart");
});

test("the panic button asks first, holds everything shut, and opens again", async () => {
  const { page } = await open("en-US");
  await page.getByRole("button", { name: "Panic: stop everything" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Stop everything" }).click();
  await page.getByText("Everything is held shut.").waitFor();
  await expect.poll(() => axeViolations(page)).toEqual([]);
  await page.getByRole("button", { name: "Open again" }).click();
  await page.getByRole("button", { name: "Panic: stop everything" }).waitFor();
});

test("the log is searched, sifted by level, paused and downloaded", async () => {
  const { page } = await open("en-US", "logs");
  const log = page.getByRole("log");
  await log.getByText("gateway ready <b>").waitFor();
  await page.getByLabel("Search").fill("TELEGRAM");
  await log.getByText("gateway ready").waitFor({ state: "hidden" });
  expect(await log.textContent()).toContain("telegram is slow");
  await page.getByLabel("Search").fill("");
  await page.getByRole("combobox", { name: "Level" }).click();
  await page.getByRole("option", { name: "Warnings and up" }).click();
  await log.getByText("gateway ready").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused. 0 new lines wait.").waitFor();
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  expect((await downloading).suggestedFilename()).toBe("gateway.log");
});

test("the language can be changed and is kept; rooms open without loading the page again", async () => {
  const { page, errors } = await open("en-US");
  await page.getByRole("button", { name: /中文/ }).click();
  await page.getByRole("link", { name: "设备" }).click();
  await page.getByRole("heading", { level: 1, name: "设备" }).waitFor();
  expect(page.url()).toBe(`${origin}/_admin/devices`);
  expect(await page.getAttribute("html", "lang")).toBe("zh-CN");
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "概览" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "概览" }).waitFor();
  expect(errors).toEqual([]);
});

test("the first steps name what is missing, ask the provider about its key, and lead there", async () => {
  const { page, errors } = await open("en-US", "", 375);
  const steps = page.getByRole("region", { name: "First steps" });
  await steps.getByText("Connect a model provider").waitFor();
  await steps.getByRole("button", { name: "Check the key: Anthropic" }).click();
  await steps.getByText("The provider refuses the key.").waitFor();
  expect(await axeViolations(page)).toEqual([]);
  await steps.getByRole("button", { name: "Go to Backups" }).click();
  await page.getByText("Nothing is kept").waitFor();
  expect(errors).toEqual([]);
});

test("at a glance: backups, spend of today and channels", async () => {
  const { page } = await open("en-US");
  const glance = page.getByRole("region", { name: "At a glance" });
  await glance.getByText("nothing is kept").waitFor();
  await glance.getByText("of $2.00 allowed").waitFor();
  expect(await glance.innerText()).toMatch(/Spend today \(UTC\)\s+\$\d/);
});

test.each([
  ["en-US", "The sandbox ran out of memory.", "See the log", "Logs"],
  ["zh-CN", "沙箱内存不足。", "查看日志", "日志"],
] as const)(
  "a failed start is explained in %s: “%s”, with the error itself and the way on",
  async (locale, said, way, room) => {
    const { page } = await open(locale);
    await worker.become({
      phase: "failed",
      lastError: "The sandbox exited with code 137.",
      retryAt: Date.now() + 60_000,
    });
    try {
      await page.getByText(said).waitFor();
      await page.getByText("The sandbox exited with code 137.").waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.getByRole("button", { name: way }).click();
      await page.getByRole("heading", { level: 1, name: room }).waitFor();
      // After a start that worked the last error stays in sight.
      await worker.become({ phase: "ready", retryAt: null });
      await page.goBack();
      await page.getByRole("alert").waitFor({ state: "detached" });
      await page.getByText(said).waitFor();
      expect(await axeViolations(page)).toEqual([]);
    } finally {
      await worker.become({ phase: "ready", lastError: null, retryAt: null });
    }
  },
);

test("what is wrong with the backups is said where nobody can miss it, with the way there", async () => {
  const { page } = await open("en-US", "", 375);
  const at = Date.now() - 120_000;
  await worker.become({
    kept: true,
    backups: { lastGeneration: 4, lastAt: at, alert: { at, text: "Backups are fenced: newer" } },
  });
  try {
    const alert = page.getByRole("alert").filter({ hasText: "Backups need attention" });
    await alert.getByText("Backups are fenced: newer (2 minutes ago)").waitFor();
    const glance = page.getByRole("region", { name: "At a glance" });
    await glance.getByText("2 minutes ago").waitFor();
    expect(await glance.innerText()).toMatch(/Last backup\s+2 minutes ago/);
    expect(await axeViolations(page)).toEqual([]);
  } finally {
    await worker.become({ kept: false, backups: null });
  }
});

test("a start is followed step by step, with the time of each", async () => {
  const { page } = await open("zh-CN", "", 375);
  await worker.become({
    phase: "restoring",
    since: Date.now(),
    timings: [
      { phase: "starting", ms: 400 },
      { phase: "restoring", ms: 0 },
    ],
  });
  try {
    await page.getByRole("status").getByText("正在恢复数据").waitFor();
    expect(await page.getByRole("listitem").allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringContaining("正在恢复数据")]),
    );
  } finally {
    await worker.become({ phase: "ready" });
  }
});

test("when the agent sleeps and which model it uses are set on the page", async () => {
  const { page } = await open("en-US", "settings");
  await worker.calls();
  await page.getByRole("combobox", { name: "Sleeps" }).click();
  await page.getByRole("option", { name: "after 1 hr without traffic or work" }).click();
  await page.getByText("That counts from now on.").first().waitFor();
  expect((await worker.calls()).find(({ name }) => name === "setSleepAfter")?.args).toEqual([
    3_600_000,
  ]);
  const model = page.getByRole("textbox", { name: "Another model" });
  await model.fill("google/gemini-3.5-flash");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("cannot be used yet: set GEMINI_API_KEY").first().waitFor();
  const save = page.getByRole("button", { name: "Save" });
  await expect.poll(() => save.isEnabled()).toBe(true);
  await model.fill("anthropic/claude-haiku-5");
  await model.press("Enter");
  await page.getByText("this page; the settings say anthropic/claude-opus-5").waitFor();
});

test("a refused host comes with the line that would allow it", async () => {
  const { page, errors } = await open("en-US", "egress");
  await page.getByText("2 times").waitFor();
  await page.getByRole("button", { name: "Allow evil.example" }).click();
  const question = page.getByRole("dialog", { name: "Allow evil.example?" });
  await question.getByText("EGRESS_ALLOW=api.weather.example,evil.example").waitFor();
  await expect.poll(() => axeViolations(page)).toEqual([]);
  expect(errors).toEqual([]);
});

test("a lost line is said, and the page goes on by itself", async () => {
  const { page } = await open("en-US");
  await page.getByText("Live", { exact: true }).waitFor();
  await page.route("**/api/events*", (route) => route.abort());
  await page.getByRole("link", { name: "Logs" }).click();
  await page.getByText(/^Connection lost/).waitFor();
  expect(await axeViolations(page)).toEqual([]);
  await page.unroute("**/api/events*");
  await page.getByText("Live", { exact: true }).waitFor();
  expect(await page.getByText(/^Connection lost/).count()).toBe(0);
});

test("a lost session is said, with the way back", async () => {
  const { page } = await open("en-US");
  await page.getByText("Live", { exact: true }).waitFor();
  await page.context().clearCookies();
  await page.route("**/api/events*", (route) => route.abort());
  await page.reload().catch(() => undefined);
  expect(await page.textContent("body")).toMatch(/admin link/);
});

test("what every visit loads is at most 250 kB together, compressed, and no other file more than 200 kB", async () => {
  const folder = buildPaths(PROJECT_ROOT).adminUi;
  const html = await readFile(path.join(folder, "index.html"), "utf8");
  const names = (await readdir(path.join(folder, "assets"))).map((name) => `assets/${name}`);
  const size = async (name: string) =>
    gzipSync(await readFile(path.join(folder, name)), { level: 9 }).length;
  const first = names.filter((name) => html.includes(name));
  const sizes = await Promise.all(["index.html", ...first].map(size));
  expect(first.length).toBeGreaterThanOrEqual(2);
  expect(sizes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(250_000);
  expect(Math.max(...(await Promise.all(names.map(size))))).toBeLessThanOrEqual(200_000);
});
