/** A person at a browser: open the link, wait out the cold start, pair, talk, restart, read on. */
import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
let page: Page;

beforeAll(async () => {
  stateDir = await makeStateDir();
  browser = await launchChromium();
  context = await browser.newContext();
  page = await context.newPage();
  system = await startSystem({ stateDir, args: ["--port", "0"] });
});

afterAll(async () => {
  await browser?.close();
  await system?.stop();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

describe("a person at a browser", () => {
  test("sees the Control UI's shell at once, with a clean address and no token anywhere in it", async () => {
    await page.goto(system.controlUi, { waitUntil: "domcontentloaded" });
    expect(page.url()).not.toContain(system.token);
    expect(await page.title()).toMatch(/openclaw/i);
    const cookies = await context.cookies(system.url);
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatchObject({ httpOnly: true });
    expect(JSON.stringify(cookies)).not.toContain(system.token);
    expect((await system.status()).phase).not.toBe("ready");
  });

  test("gets paired by the admin and reaches the chat", async () => {
    await system.reach("ready");
    const pending = await waitFor(async () => (await system.devices()).pending[0]);
    await system.admin(`/api/devices/${pending.deviceId}/approve`, { body: {} });
    await composer().waitFor({ timeout: 60_000 });
    expect((await system.devices()).paired.map((device) => device.deviceId)).toContain(
      pending.deviceId,
    );
  });

  test("sends a message and reads the streamed answer", async () => {
    await say("the first thing I say is marmalade");
    await answered(/demo model/i);
    expect(await page.getByText("marmalade").count()).toBeGreaterThan(0);
  });

  test("finds the conversation again, and is paired, after the whole sandbox was deleted", async () => {
    const address = new URL(system.url);
    expect(await system.stop()).toBe(0);
    await rm(path.join(stateDir, "sandbox"), { recursive: true });
    system = await startSystem({ stateDir, args: ["--port", address.port] });
    await page.goto(system.controlUi, { waitUntil: "domcontentloaded" });
    await system.reach("ready");
    await composer().waitFor({ timeout: 60_000 });
    await expectText("marmalade");
    await say("history");
    await answered(/Before this you said/);
  });
});

const composer = () => page.getByPlaceholder(/^Message /).first();

async function say(text: string): Promise<void> {
  await composer().click();
  await composer().fill(text);
  await composer().press("Enter");
}

async function answered(pattern: RegExp): Promise<void> {
  await page.getByText(pattern).last().waitFor({ timeout: 60_000 });
}

async function expectText(text: string): Promise<void> {
  await page.getByText(text).first().waitFor({ timeout: 60_000 });
}

async function waitFor<T>(read: () => Promise<T | undefined>): Promise<T> {
  const until = Date.now() + 60_000;
  for (;;) {
    const value = await read().catch(() => undefined);
    if (value !== undefined) return value;
    if (Date.now() > until) throw new Error("it did not come in time");
    await sleep(200);
  }
}
