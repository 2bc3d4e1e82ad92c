/** What the backups room says of what is not kept, and of what a dry run does not look into. */
import { generateX25519Identity } from "age-encryption";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axeViolations, openAdminPage } from "../support/admin-browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startWorkerServer, type WorkerServer } from "../support/worker-server.ts";

let worker: WorkerServer;
let browser: Browser;
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "backups-words-"));
  worker = await startWorkerServer(
    { BACKUP_KEY: await generateX25519Identity() },
    { bucket: true },
  );
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ["en-US", "Not in the backups", /^Archive/, "Upload", "See what it holds", "databases"],
  ["zh-CN", "未进入备份的内容", /^归档文件/, "上传", "查看其中内容", "数据库"],
] as const)(
  "in %s: what cannot be kept is named, and that no dry run looks into databases",
  async (locale, unkept, archive, send, look, databases) => {
    await mkdir(path.join(folder, ".openclaw/workspace"), { recursive: true });
    await writeFile(path.join(folder, ".openclaw/workspace/MEMORY.md"), "remember");
    execFileSync("tar", ["-czf", `${locale}.tar.gz`, ".openclaw"], { cwd: folder });
    const { origin } = await worker.address("AdminFace");
    const { page, errors } = await openAdminPage(browser, origin, { locale, room: "backups" });
    await page.getByRole("heading", { name: unkept }).waitFor();
    await page.getByText(".openclaw/workspace/pipe").waitFor();
    await page.getByLabel(archive).setInputFiles(path.join(folder, `${locale}.tar.gz`));
    await page.getByRole("button", { name: send }).click();
    await page.getByRole("button", { name: look }).click();
    await page.getByText(databases).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
  },
);
