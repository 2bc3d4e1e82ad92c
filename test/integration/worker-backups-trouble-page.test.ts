/** What the backups room shows when something is not as it should be, in a real browser. */
import { generateX25519Identity } from "age-encryption";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { importsReply } from "../../src/protocol/admin-backups.ts";
import { axeViolations, openAdminPage, type Screen } from "../support/admin-browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startWorkerServer, type WorkerServer } from "../support/worker-server.ts";

const REFUSED = { state: "refused", problem: "there was no space left" };
const SUPERVISOR = {
  ...{ protocol: 1, agentId: "main", startGeneration: 1, isolation: "userns" },
  ...{ gateway: { state: "ready", restarts: 0 }, memory: { supervisor: 1 } },
  ...{ uptimeMs: 1, connections: 0 },
  backups: { state: "watching", generation: 27, failures: 0, unkept: [] },
};

let worker: WorkerServer;
let browser: Browser;
let origin = "";

beforeAll(async () => {
  const key = await generateX25519Identity();
  worker = await startWorkerServer({ BACKUP_KEY: key }, { bucket: true });
  browser = await launchChromium();
  ({ origin } = await worker.address("AdminFace"));
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
});

const open = (screen: Partial<Screen> = {}) =>
  openAdminPage(browser, origin, { locale: "en-US", room: "backups", ...screen });

const called = async (name: string) =>
  (await worker.calls()).filter((call) => call.name === name).map(({ args }) => args);

describe("the backups room in trouble", () => {
  test.each([
    ["en-US", "Not in the backups", "stays in the newest backup", "No backup holds"],
    ["zh-CN", "未进入备份的内容", "仍在最新备份中", "不在任何备份里"],
  ] as const)("in %s says under “%s” what cannot be kept", async (...row) => {
    const [locale, title, ofFiles, ofStates] = row;
    await worker.become({ supervisor: SUPERVISOR });
    const { page } = await open({ locale, width: 375 });
    const card = page.getByRole("region", { name: title });
    await page.getByRole("region").first().waitFor();
    expect(await card.count()).toBe(0);
    const unkept = [{ path: ".openclaw/workspace/pipe", why: "it is not a file" }];
    const supervisor = { ...SUPERVISOR, backups: { ...SUPERVISOR.backups, unkept } };
    await worker.become({ supervisor });
    await card.getByText(".openclaw/workspace/pipe").waitFor();
    await card.getByText("it is not a file").waitFor();
    await card.getByText(ofFiles).waitFor();
    expect(await card.getByText(ofStates).count()).toBe(0);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    expect(await axeViolations(page)).toEqual([]);
    const left = [{ path: ".moltworker-unsaved-2026-11-26", why: "no backup could take it" }];
    await worker.become({
      supervisor: { ...SUPERVISOR, backups: { ...SUPERVISOR.backups, unkept: left } },
    });
    await card.getByText(ofStates).waitFor();
    expect(await card.getByText(ofFiles).count()).toBe(0);
    await worker.become({ supervisor: SUPERVISOR });
    await card.waitFor({ state: "detached" });
  });

  test("an archive in the bucket that was refused can be looked at again, and deleted after a question", async () => {
    await worker.putObject("moltbot-backup.tar.gz", "this is no archive");
    const { page, errors } = await open();
    // As a start leaves it that could not take it in.
    await page.route("**/api/backups/imports", async (route) => {
      const response = await route.fetch();
      const { imports } = importsReply.parse(await response.json());
      const json = { imports: imports.map((one) => Object.assign(one, REFUSED)) };
      await route.fulfill({ response, json });
    });
    await page.reload();
    const card = page.getByRole("region", { name: "Import" });
    await card.getByText(REFUSED.problem).waitFor();
    await card.getByRole("button", { name: "See what it holds" }).click();
    await card.getByText("It cannot be taken in").waitFor();
    await worker.calls();
    await card.getByRole("button", { name: "Remove the archive" }).click();
    const question = page.getByRole("alertdialog", { name: "Delete the archive from the bucket?" });
    await expect.poll(() => axeViolations(page)).toEqual([]);
    expect(await called("imports.drop")).toEqual([]);
    await question.getByRole("button", { name: "Remove the archive" }).click();
    await card.getByText(REFUSED.problem).waitFor({ state: "hidden" });
    expect(await called("imports.drop")).toEqual([["bucket"]]);
    expect(errors).toEqual([]);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });
});
