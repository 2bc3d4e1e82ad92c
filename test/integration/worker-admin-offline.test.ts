/** The admin page on a line that fails, or that the browser only takes for one that failed, and on answers that are rare. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openAdminPage } from "../support/admin-browser.ts";
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
  await browser.close();
  await worker.close();
});

const open = (locale: "en-US" | "zh-CN", room = "") =>
  openAdminPage(browser, origin, { locale, room });

test("the panic button works in a browser that calls itself offline: the Worker may be on the same machine", async () => {
  const { page } = await open("en-US");
  await page.getByRole("button", { name: "Panic: stop everything" }).waitFor();
  await page.evaluate("dispatchEvent(new Event('offline'))");
  await page.getByRole("button", { name: "Panic: stop everything" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Stop everything" }).click();
  await page.getByText("Everything is held shut.").waitFor();
  expect((await worker.calls()).map(({ name }) => name)).toContain("security.panic");
  await page.getByRole("button", { name: "Open again" }).click();
  await page.getByRole("button", { name: "Panic: stop everything" }).waitFor();
});

test.each([
  ["en-US", "Restart", "It may have been done or not"],
  ["zh-CN", "重启", "操作可能已执行，也可能没有"],
] as const)("in %s a button that got no answer does not promise to try again", async (...row) => {
  const [locale, button, said] = row;
  const { page } = await open(locale);
  await page.route("**/api/agent/restart", (route) => route.abort());
  await page.getByRole("button", { name: button }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: button }).click();
  await page.getByText(said).first().waitFor();
  expect((await worker.calls()).map(({ name }) => name)).not.toContain("restart");
});

test.each([
  ["en-US", "Restart", "the state before it is lost"],
  ["zh-CN", "重启", "此前的状态未能保存，已经丢失"],
] as const)("in %s a restart that cost the state before it says so, and why", async (...row) => {
  const [locale, button, said] = row;
  const { page } = await open(locale);
  const unkept = "state/openclaw.sqlite: database disk image is malformed";
  await page.route("**/api/agent/restart", (route) =>
    route.fulfill({ json: { ok: true, unkept } }),
  );
  await page.getByRole("button", { name: button }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: button }).click();
  await page.getByText(said).first().waitFor();
  expect(await page.getByText(unkept).count()).toBeGreaterThan(0);
});

test("older entries of the audit log that could not be had are said to be missing", async () => {
  const { page } = await open("en-US");
  const entry = { n: 7, at: 0, kind: "panic", who: "local", from: "", detail: "", times: 1 };
  await page.route("**/api/audit", (route) =>
    route.fulfill({ json: { entries: [entry], more: true } }),
  );
  await page.route("**/api/audit?before=7", (route) => route.abort());
  await page.getByRole("link", { name: "Audit" }).first().click();
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Show older" }).click();
  const alert = page.getByRole("alert").getByText("The Worker could not be reached.");
  await alert.waitFor();
  expect(await alert.count()).toBe(1);
});

test("older model calls that could not be had are said to be missing", async () => {
  const { page } = await open("en-US", "spend");
  await page.route("**/api/spend/calls?*before=*", (route) => route.abort());
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Show older" }).click();
  const alert = page.getByRole("alert").getByText("The Worker could not be reached.");
  await alert.waitFor();
  expect(await alert.count()).toBe(1);
});

test("the panic button comes back without a new page after its first look failed", async () => {
  const { page } = await open("en-US", "audit");
  await page.route("**/api/security", (route) => route.abort());
  await page.goto(new URL("/_admin/", page.url()).href);
  const alert = page.getByRole("alert").filter({ hasText: "The Worker could not be reached." });
  await alert.waitFor();
  await page.unroute("**/api/security");
  await alert.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("button", { name: "Panic: stop everything" }).waitFor();
  expect(await alert.count()).toBe(0);
});
