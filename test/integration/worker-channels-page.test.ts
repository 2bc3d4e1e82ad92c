/** The channels room of the admin page in a real browser, on a real inbox. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { channelsReply } from "../../src/protocol/admin-channels.ts";
import { slackManifest } from "../../src/protocol/slack-manifest.ts";
import { axeViolations, openAdminPage } from "../support/admin-browser.ts";
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

const open = (locale: "en-US" | "zh-CN", width = 1100, dark = false) =>
  openAdminPage(browser, origin, { locale, room: "channels", width, dark });

test.each([
  ["en-US", "Channels", "Registered at", "What to do", 1100, false],
  ["zh-CN", "渠道", "登记地址", "怎么办", 1100, true],
  ["en-US", "Channels", "Last message out", "given up", 375, true],
  ["zh-CN", "渠道", "最近发出消息", "已放弃", 375, false],
] as const)(
  "in %s as %s: shows the state, the inbox and what to do, fits, and axe finds nothing",
  async (locale, title, fact, more, width, dark) => {
    const { page, errors } = await open(locale, width, dark);
    await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
    await page.getByText("https://agent.example/webhooks/telegram/main").waitFor();
    await page.getByText(fact).first().waitFor();
    await page.getByText(more).first().waitFor({ timeout: 60_000 });
    await page.getByText(/^on its way <img/).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    expect(await axeViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
  },
);

test("somebody who asks is let in with the keyboard and is then on the list; a name is only text", async () => {
  const { page } = await open("en-US", 375);
  const approve = page.getByRole("button", { name: /^Let in: <img/ });
  await approve.focus();
  await page.keyboard.press("Enter");
  await page.getByText("Nobody asks.").waitFor();
  await page.getByRole("button", { name: /^Bar: <img/ }).click();
  await page.getByRole("button", { name: /^Let in again: <img/ }).waitFor();
  expect(await page.title()).not.toBe("owned");
});

test("a dead letter is tried again, and dropped after a question that can be left with Escape", async () => {
  const { page } = await open("en-US");
  const given = page.getByText(/given up · 3 tries/);
  await given.waitFor({ timeout: 60_000 });
  const ends = () => worker.logs.filter((line) => line.includes('"outcome":"dead"')).length;
  const before = ends();
  await page.getByRole("button", { name: "Try again: 1" }).click();
  await page.getByText("It is tried again.").first().waitFor();
  await expect.poll(ends, { timeout: 60_000 }).toBe(before + 1);
  await given.waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Drop: 1" }).click();
  const question = page.getByRole("alertdialog", { name: "Drop this message?" });
  await question.waitFor();
  // While it fades in its colours are not its own.
  await expect.poll(() => axeViolations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "hidden" });
  await given.waitFor();
  await page.getByRole("button", { name: "Drop: 1" }).click();
  await question.getByRole("button", { name: "Drop" }).click();
  await page.getByText("no such update", { exact: true }).waitFor({ state: "hidden" });
});

const GIVEN_UP = { n: 1000, state: "dead" };

test("messages that wait are shown when no platform is set up any more", async () => {
  const { page } = await open("en-US");
  await page.getByText(/^on its way <img/).waitFor();
  await page.route("**/api/channels", async (route) => {
    const answer = await route.fetch();
    const view = channelsReply.parse(await answer.json());
    const dead = view.letters.map((letter) => Object.assign({}, letter, GIVEN_UP));
    const json = { ...view, channels: [], letters: [...dead, ...view.letters] };
    await route.fulfill({ response: answer, json });
  });
  await page.reload();
  await page.getByText("No channel is set up yet.").waitFor();
  await page
    .getByText(/ · given up · /)
    .first()
    .waitFor();
  const hints = page.getByText(/^Its platform is not set up any more/);
  await hints.first().waitFor();
  // What is given up waits for nothing but an admin.
  expect(await hints.count()).toBe(await page.getByText(/ · waits · /).count());
  expect(await page.getByText(/^on its way <img/).count()).toBe(2);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("an address that is not registered yet, and a Slack that has sent nothing, are not told as working", async () => {
  const { page } = await open("en-US");
  await page.getByText("Registered at", { exact: true }).waitFor();
  const slack = { id: "slack", policy: "pairing", connection: "connected", way: "webhook" };
  const address = "https://agent.example/webhooks/slack/main";
  await page.route("**/api/channels", async (route) => {
    const answer = await route.fetch();
    const view = channelsReply.parse(await answer.json());
    const [telegram] = view.channels;
    const channels = [
      { ...telegram, connection: "failed" },
      { ...slack, address, waiting: 0, dead: 0 },
    ];
    await route.fulfill({ response: answer, json: { ...view, channels } });
  });
  await page.reload();
  await page.getByText("To be registered at", { exact: true }).waitFor();
  await page.getByText("Address for its events", { exact: true }).waitFor();
  await page.getByText(/^The token works; nothing has come/).waitFor();
  expect(await page.getByText("Connected: messages arrive").count()).toBe(0);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("a test message goes out in the bot's name", async () => {
  const { page } = await open("en-US");
  await worker.calls();
  await page.getByRole("textbox", { name: "Chat id" }).fill("77");
  await page.keyboard.press("Enter");
  await page.getByText("The test message is sent.").first().waitFor();
  const said = (await worker.calls()).find(({ name }) => name === "say");
  expect(said?.args).toEqual(["77", expect.stringContaining("test message")]);
});

test("Slack's manifest is opened and copied with the keyboard", async () => {
  const { page, errors } = await open("en-US", 375);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.locator("summary", { hasText: "Manifest for Socket Mode" }).focus();
  await page.keyboard.press("Enter");
  const shown = page.locator("pre", { hasText: '"socket_mode_enabled": true' });
  await shown.waitFor();
  expect(JSON.parse(await shown.innerText())).toEqual(slackManifest());
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
  expect(await axeViolations(page)).toEqual([]);
  await page.getByRole("button", { name: "Copy: Manifest for Socket Mode" }).press("Enter");
  await page.getByText("Copied").waitFor();
  const copied = await page.evaluate("navigator.clipboard.readText()");
  expect(JSON.parse(String(copied))).toEqual(slackManifest());
  expect(errors).toEqual([]);
});
