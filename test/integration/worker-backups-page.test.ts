/** The backups room in a real browser, over real backups: both languages, keyboard, phone, uploads. */
import { generateX25519Identity } from "age-encryption";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeViolations, openAdminPage, type Screen } from "../support/admin-browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startWorkerServer, type WorkerServer } from "../support/worker-server.ts";

let worker: WorkerServer;
let browser: Browser;
let origin = "";
let folder = "";
let key = "";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "backups-page-"));
  key = await generateX25519Identity();
  worker = await startWorkerServer({ BACKUP_KEY: key }, { bucket: true });
  browser = await launchChromium();
  ({ origin } = await worker.address("AdminFace"));
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (screen: Partial<Screen> = {}) =>
  openAdminPage(browser, origin, { locale: "en-US", room: "backups", ...screen });

const called = async (name: string) =>
  (await worker.calls()).filter((call) => call.name === name).map(({ args }) => args);

/** An archive as an install elsewhere makes it, of two parts, with secrets in it. */
async function archive(): Promise<string> {
  const state = path.join(folder, ".openclaw");
  await mkdir(path.join(state, "workspace"), { recursive: true });
  await writeFile(path.join(state, "workspace", "MEMORY.md"), "remember");
  await writeFile(path.join(state, "workspace", "film.bin"), randomBytes(9 * 1024 ** 2));
  await writeFile(path.join(state, ".env"), "KEY=planted-in-the-archive");
  await writeFile(
    path.join(state, "openclaw.json"),
    JSON.stringify({ channels: { telegram: { botToken: "planted-in-the-archive" } } }),
  );
  execFileSync("tar", ["-czf", "moltbot-backup.tar.gz", ".openclaw"], { cwd: folder });
  return path.join(folder, "moltbot-backup.tar.gz");
}

test.each([false, true])(
  "without a key says that backups are not encrypted, and axe finds nothing, dark %s",
  async (dark) => {
    const bare = await startWorkerServer({}, { bucket: true });
    try {
      const { origin: there } = await bare.address("AdminFace");
      const screen = { locale: "en-US", room: "backups", dark } as const;
      const { page, errors } = await openAdminPage(browser, there, screen);
      await page.getByText("Not encrypted", { exact: true }).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      expect(errors).toEqual([]);
    } finally {
      await bare.close();
    }
  },
);

describe("the backups room", () => {
  test.each([
    ["en-US", "Backups", "Timeline", 1100, false],
    ["zh-CN", "备份", "时间线", 1100, true],
    ["en-US", "Backups", "Timeline", 375, true],
    ["zh-CN", "备份", "时间线", 375, false],
  ] as const)(
    "in %s as %s with “%s”, %i wide, dark %s: shows every point in time, fits, and axe finds nothing",
    async (locale, title, timeline, width, dark) => {
      const { page, errors } = await open({ locale, width, dark });
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      const card = page.getByRole("region", { name: timeline });
      await card.getByText("#27", { exact: false }).first().waitFor();
      await card.getByText("a pack is not what was written").waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
      expect(await axeViolations(page)).toEqual([]);
      expect(await page.content()).not.toContain("AGE-SECRET-KEY");
      expect(errors).toEqual([]);
    },
  );

  test("says how old the last backup and the last verified restore are, and makes both anew", async () => {
    const { page } = await open();
    const glance = page.getByRole("region", { name: "At a glance" });
    await glance.getByText(/^(1[89]|[2-5]\d) minutes ago$/).waitFor();
    await page.getByRole("button", { name: "Back up now" }).click();
    await page.getByText("Kept as backup #28.").first().waitFor();
    await glance.getByText("#28").waitFor();
    await page.getByRole("button", { name: "Verify the newest" }).click();
    await page.getByText("It can be restored.").first().waitFor();
    await page
      .getByRole("region", { name: "Timeline" })
      .getByText(/restore verified (now|\d+ seconds? ago)/)
      .first()
      .waitFor();
    expect((await worker.calls()).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["backups.backUpNow", "backups.verify"]),
    );
  });

  test("the timeline goes back to a moment, and further back on request", async () => {
    const { page } = await open();
    const card = page.getByRole("region", { name: "Timeline" });
    await card.getByText("#28 ·").waitFor();
    expect(await card.getByText("#1 ·").count()).toBe(0);
    for (const number of [10, 1]) {
      await card.getByRole("button", { name: "Show older" }).click();
      await card.getByText(`#${number} ·`).waitFor();
    }
    const dayAgo = new Date(Date.now() - 28 * 3_600_000 - new Date().getTimezoneOffset() * 60_000);
    await card.getByLabel("As it was at").fill(dayAgo.toISOString().slice(0, 16));
    await card.getByText("#28 ·").waitFor({ state: "hidden" });
    expect(await card.getByRole("listitem").first().textContent()).toContain("#18");
    await card.getByLabel("As it was at").fill("2001-01-01T00:00");
    await card.getByText("There was no backup yet at that moment.").waitFor();
    await card.getByRole("button", { name: "Show all" }).click();
    await card.getByText("#28 ·").waitFor();
  });

  test("a restore names what happens, can be left, and is followed to its end", async () => {
    const { page, errors } = await open({ width: 375 });
    await worker.calls();
    const button = page.getByRole("button", { name: "Restore: backup #22" });
    await button.focus();
    await page.keyboard.press("Enter");
    const question = page.getByRole("alertdialog", { name: "Restore backup #22?" });
    await question.getByText("Its present state is backed up first").waitFor();
    await question.getByText("Whatever came after that moment is not in it").waitFor();
    await expect.poll(() => axeViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
    expect(await called("backups.restore")).toEqual([]);
    await button.click();
    await question.getByRole("button", { name: "Restore" }).click();
    await page.getByText("The agent runs with the state of backup #22.").waitFor();
    expect(await called("backups.restore")).toEqual([[22]]);
    await page.getByText("restored from #22").waitFor();
    expect(errors).toEqual([]);
  });

  test("what cannot be restored offers no restore", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "Show older" }).click();
    const damaged = page.getByRole("button", { name: "Restore: backup #17" });
    await damaged.waitFor();
    expect(await damaged.isDisabled()).toBe(true);
  });

  test("an archive is uploaded in parts that survive a lost line and a closed page, then looked at and taken in", async () => {
    const file = await archive();
    const first = await open();
    await worker.calls();
    await first.page.route("**/parts/1", (route) => route.abort());
    await first.page.getByLabel(/^Archive/).setInputFiles(file);
    await first.page.getByRole("button", { name: "Upload", exact: true }).click();
    await first.page.getByText("The connection is lost. It goes on by itself.").waitFor();
    expect(await axeViolations(first.page)).toEqual([]);
    await first.page.getByRole("button", { name: "Pause" }).click();
    await first.page.getByText("Paused.").waitFor();
    await first.page.context().close();
    expect((await called("imports.part")).map(([, n]) => n)).toEqual([0]);

    const { page, errors } = await open();
    await page.getByText("1 of 2 parts are here").waitFor();
    await page.getByLabel(/^Archive/).setInputFiles(file);
    await page.getByRole("button", { name: "Continue the upload" }).click();
    await page.getByText("here, not taken in").waitFor();
    const calls = await worker.calls();
    expect(calls.filter(({ name }) => name === "imports.begin")).toEqual([]);
    expect(calls.filter(({ name }) => name === "imports.part").map(({ args: [, n] }) => n)).toEqual(
      [1],
    );

    await page.getByRole("button", { name: "See what it holds" }).click();
    const report = page.getByRole("region", { name: "What would come in", exact: true });
    await report.getByRole("row", { name: /^workspace 2/ }).waitFor();
    await expect.poll(() => report.innerText()).toContain("Channel telegram");
    await report.getByText(".openclaw/.env", { exact: true }).first().waitFor();
    await expect.poll(() => axeViolations(page)).toEqual([]);
    expect(await page.content()).not.toContain("planted-in-the-archive");

    await page.getByRole("button", { name: "Bring it in" }).click();
    const question = page.getByRole("alertdialog", { name: "Bring this archive in?" });
    await question.getByText("The present state is backed up first").waitFor();
    await question.getByRole("button", { name: "Bring it in" }).click();
    await page.getByText("waits for the next start").waitFor();
    expect(await called("imports.apply")).toHaveLength(1);
    await page.getByRole("button", { name: "Remove the archive" }).click();
    await page.getByText("The archive is removed.").first().waitFor();
    expect(errors).toEqual([]);
  });

  test("what is no archive is refused in words, and can be removed", async () => {
    const file = path.join(folder, "picture.tar.gz");
    await writeFile(file, "this is no archive");
    const { page, errors } = await open({ locale: "zh-CN" });
    await page.getByLabel(/^归档文件/).setInputFiles(file);
    await page.getByRole("button", { name: "上传" }).click();
    await page.getByRole("button", { name: "查看其中内容" }).click();
    await page.getByRole("alert").getByText("无法导入").waitFor();
    await page.getByRole("button", { name: "移除归档" }).click();
    await page.getByText("picture.tar.gz").waitFor({ state: "hidden" });
    expect(errors).toEqual([]);
  });

  test("the recovery kit is downloaded once, with the key that never shows on the page", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "Download the kit" }).click();
    const downloading = page.waitForEvent("download");
    await page
      .getByRole("alertdialog", { name: "Download the recovery kit now?" })
      .getByRole("button", { name: "Download the kit" })
      .click();
    const kit = await downloading;
    expect(kit.suggestedFilename()).toBe("moltworker-recovery-main.txt");
    expect(await readFile(await kit.path(), "utf8")).toContain(key);
    await page.getByText(/^Handed out/).waitFor();
    expect(await page.content()).not.toContain(key);
    await page.getByRole("button", { name: "Download again" }).waitFor();
    await page.reload();
    await page.getByText(/^Handed out/).waitFor();
    expect(await page.getByRole("button", { name: "Download again" }).count()).toBe(0);
  });

  test("retention says its rules and tidies up only after a question", async () => {
    const { page } = await open();
    await worker.calls();
    const card = page.getByRole("region", { name: "Retention" });
    await card.getByText("one a week for 52 weeks").waitFor();
    await card.getByRole("button", { name: "Tidy up now" }).click();
    const question = page.getByRole("alertdialog");
    await question.getByText("one an hour for 7 days").waitFor();
    await question.getByRole("button", { name: "Tidy up now" }).click();
    await page.getByText("What is no longer to be kept is deleted.").first().waitFor();
    await card.getByText(/Last tidied up/).waitFor();
    expect(await called("backups.prune")).toHaveLength(1);
  });

  test("starting afresh has to be typed, and everything before stays in the timeline", async () => {
    const { page } = await open();
    await worker.calls();
    await page.getByRole("button", { name: "Start afresh" }).click();
    const question = page.getByRole("alertdialog", { name: "Start afresh?" });
    const act = question.getByRole("button", { name: "Start afresh" });
    expect(await act.isDisabled()).toBe(true);
    await question.getByRole("textbox").fill("start");
    expect(await act.isDisabled()).toBe(true);
    await page.keyboard.press("Enter");
    expect(await called("backups.startAfresh")).toEqual([]);
    await question.getByRole("textbox").fill("start afresh");
    await expect.poll(() => axeViolations(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await page.getByText("The agent has started afresh.").waitFor();
    await page.getByText("The agent began with nothing.").waitFor();
    expect(await called("backups.startAfresh")).toHaveLength(1);
  });
});

test("without a bucket the room says that nothing is kept and what to do", async () => {
  const bare = await startWorkerServer();
  try {
    const { origin: there } = await bare.address("AdminFace");
    for (const [locale, said] of [
      ["en-US", "Nothing is kept"],
      ["zh-CN", "没有保存任何内容"],
    ] as const) {
      const { page, errors } = await openAdminPage(browser, there, { locale, room: "backups" });
      await page.getByText(said).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      expect(errors).toEqual([]);
    }
  } finally {
    await bare.close();
  }
});
