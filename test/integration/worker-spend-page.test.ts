/** The spend room in a real browser, over a real ledger: both languages, keyboard, phone, pictures. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeViolations, openAdminPage, type Screen } from "../support/admin-browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startWorkerServer, type WorkerServer } from "../support/worker-server.ts";

let worker: WorkerServer;
let browser: Browser;
let origin = "";

beforeAll(async () => {
  worker = await startWorkerServer();
  browser = await launchChromium();
  ({ origin } = await worker.address("AdminFace"));
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
});

const open = (screen: Partial<Screen> = {}) =>
  openAdminPage(browser, origin, { locale: "en-US", room: "spend", ...screen });

describe("the spend room", () => {
  test.each([
    ["en-US", "Spend", "The last 31 days", 1100, false],
    ["zh-CN", "支出", "最近 31 天", 1100, true],
    ["en-US", "Spend", "The last 31 days", 375, true],
    ["zh-CN", "支出", "最近 31 天", 375, false],
  ] as const)(
    "in %s as %s with “%s”, %i wide, dark %s: draws, fits, and axe finds nothing",
    async (locale, title, trend, width, dark) => {
      const { page, errors } = await open({ locale, width, dark });
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      await page.getByRole("heading", { name: trend }).waitFor();
      await expect.poll(() => page.locator("figure canvas").count()).toBe(4);
      await page.locator("time").first().waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
      expect(await axeViolations(page)).toEqual([]);
      expect(await page.content()).not.toContain("planted");
      expect(errors).toEqual([]);
    },
  );

  test("is worked by keyboard: the numbers of a picture, caps, and raising them for today", async () => {
    const { page, errors } = await open();
    const table = page.getByRole("region", { name: "The last 31 days: table" });
    await page.getByText("As a table").first().focus();
    await page.keyboard.press("Enter");
    await table.getByRole("row").nth(1).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe(
      "The last 31 days: table",
    );

    const today = page.getByRole("meter", { name: "Today, in dollars" });
    expect(await today.getAttribute("aria-valuemax")).toBe("2");
    await page.getByRole("button", { name: "Raise for today" }).focus();
    await page.keyboard.press("Enter");
    const question = page.getByRole("alertdialog", { name: "Raise the caps for today?" });
    await question.waitFor();
    await expect.poll(() => axeViolations(page)).toEqual([]);
    await question.getByRole("button", { name: "Raise for today" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("The caps are raised for today.").first().waitFor();
    await expect.poll(() => today.getAttribute("aria-valuemax")).toBe("4");

    await page.getByRole("button", { name: "Change caps" }).click();
    await page.getByRole("spinbutton", { name: "Today, in dollars" }).fill("");
    await page.getByRole("spinbutton", { name: "This month, in dollars" }).fill("50.5");
    // While it fades in its colours are not its own.
    await expect.poll(() => axeViolations(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await page.getByRole("meter", { name: "This month, in dollars" }).waitFor();
    expect(await today.count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("sets the routing, and says what the Worker refuses", async () => {
    const { page } = await open({ width: 375 });
    await page.getByRole("textbox", { name: "Primary model" }).fill("google/gemini-3.5-flash");
    const save = page.getByRole("button", { name: "Save" }).first();
    await save.click();
    await page.getByText("cannot be used yet: set GEMINI_API_KEY").first().waitFor();
    await page.getByRole("textbox", { name: "Primary model" }).fill("");
    await page.getByRole("textbox", { name: "Fallbacks" }).fill("openai/gpt-5.5");
    await save.click();
    await page.getByText("a fallback would never be asked").first().waitFor();
    const chinese = await open({ locale: "zh-CN" });
    await chinese.page.getByRole("textbox", { name: "后备" }).fill("openai/gpt-5.5");
    await chinese.page.getByRole("button", { name: "保存" }).first().click();
    await chinese.page.getByText("接口格式与首选模型不同").first().waitFor();
    const wanted = "anthropic/claude-sonnet-5\nanthropic/claude-haiku-4-5";
    await page.getByRole("textbox", { name: "Fallbacks" }).fill(wanted);
    await page.getByRole("spinbutton", { name: /^Seconds to wait/ }).fill("20");
    await save.click();
    await page.getByText("The routing is set.").first().waitFor();
    await page.reload();
    const fallbacks = page.getByRole("textbox", { name: "Fallbacks" });
    await expect.poll(() => fallbacks.inputValue()).toBe(wanted);
  });

  test("sets and removes a price, the answer cache and the webhook, whose address stays hidden", async () => {
    const { page, errors } = await open();
    await page.getByRole("button", { name: "Set a price" }).click();
    const form = page.getByRole("dialog", { name: "A price of your own" });
    await form.getByRole("textbox", { name: "Model" }).fill("openai/of-nobody");
    await form.getByRole("spinbutton", { name: /^Input/ }).fill("1.5");
    await form.getByRole("spinbutton", { name: /^Output/ }).fill("6");
    await form.getByRole("button", { name: "Save" }).click();
    const prices = page.getByRole("region", { name: "Prices: table" });
    await prices.getByRole("row", { name: "openai/of-nobody $1.50 $6.00 your own" }).waitFor();
    await page.getByRole("button", { name: "Remove the price of openai/of-nobody" }).click();
    await prices.getByRole("row", { name: "openai/of-nobody unknown" }).waitFor();

    await page.getByText("at $30.00 in and $180.00 out").waitFor();
    await page.getByRole("button", { name: "Change the worst case" }).click();
    const worst = page.getByRole("dialog", { name: "What has no price" });
    await worst.getByRole("spinbutton", { name: /^Output/ }).fill("90.5");
    await expect.poll(() => axeViolations(page)).toEqual([]);
    await worst.getByRole("button", { name: "Save" }).click();
    await page.getByText("at $30.00 in and $90.50 out").waitFor();

    await page.getByRole("checkbox", { name: /identical requests/ }).check();
    await page.getByRole("button", { name: "Save" }).nth(1).click();
    await page.getByText("The cache is set.").first().waitFor();

    await page.getByRole("checkbox", { name: /excerpts of prompts/ }).check();
    await page.getByRole("button", { name: "Save" }).nth(2).click();
    await page.getByText("The excerpts are set.").first().waitFor();

    await page
      .getByRole("textbox", { name: "Webhook address" })
      .fill("https://hooks.example/planted");
    await page.keyboard.press("Enter");
    await page.getByText("Alerts go to hooks.example.").waitFor();
    expect(await page.content()).not.toContain("planted");
    await page.reload();
    await page.getByText("Alerts go to hooks.example.").waitFor();
    await page.getByRole("button", { name: "Remove the webhook" }).click();
    await page.getByText("Alerts go to hooks.example.").waitFor({ state: "hidden" });
    expect(errors).toEqual([]);
  });
});
