/** A person who runs the agent: from the admin link to an approved device, a log, a panic. */
import { execFileSync } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pairingCode } from "../../src/protocol/pairing.ts";
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
let admin: Page;
let person: Page;

beforeAll(async () => {
  stateDir = await makeStateDir();
  system = await startSystem({ stateDir });
  browser = await launchChromium();
  const context = await browser.newContext({ locale: "en-US" });
  // The link was used by the harness already: its session is lent to the browser.
  await context.addCookies([
    {
      name: "moltworker_admin",
      value: system.adminCookie.replace("moltworker_admin=", ""),
      url: system.adminUrl,
    },
  ]);
  admin = await context.newPage();
  person = await (await browser.newContext({ locale: "en-US" })).newPage();
});

afterAll(async () => {
  await browser?.close();
  await system?.stop();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

describe("the admin page of a running system", () => {
  test("follows a start phase by phase", async () => {
    await admin.goto(`${system.adminUrl}/_admin/`);
    await admin.getByText("Live", { exact: true }).waitFor();
    await system.reach("ready");
    await admin.getByRole("button", { name: "Stop", exact: true }).click();
    await admin.getByRole("alertdialog").getByRole("button", { name: "Stop" }).click();
    await admin.getByText("Stopped", { exact: true }).waitFor({ timeout: 60_000 });
    await admin.getByRole("button", { name: "Start", exact: true }).click();
    await admin.getByRole("status").getByText("Starting the gateway").waitFor();
    await admin.getByText("Ready", { exact: true }).waitFor({ timeout: 120_000 });
    expect(await admin.getByText(/OpenClaw \d{4}/).count()).toBe(1);
    // The demo model is nobody's provider.
    await admin.getByText("the demo model, which only plays one").waitFor();
  });

  test("shows a device that asks, by itself, and lets it in", async () => {
    await admin.getByRole("link", { name: "Devices" }).click();
    await admin.getByText("No device is waiting.").waitFor();
    await person.goto(system.controlUi, { waitUntil: "domcontentloaded" });
    const approve = admin.getByRole("button", { name: /^Approve: / });
    await approve.waitFor({ timeout: 60_000 });
    const [pending] = (await system.devices()).pending;
    const code = pairingCode(pending?.deviceId ?? "");
    expect(await admin.textContent("main")).toContain(code);
    const waiting = person.locator("#moltworker-pairing");
    await waiting.getByText(code).waitFor();
    await approve.click();
    await waiting.waitFor({ state: "detached", timeout: 60_000 });
    await admin.getByText("No device is waiting.").waitFor();
    await person.locator("textarea").first().waitFor({ timeout: 60_000 });
  });

  test("backs the agent up, proves it, hands it out, and restores it", async () => {
    await admin.getByRole("link", { name: "Backups" }).click();
    await admin.getByRole("button", { name: "Back up now" }).click();
    await admin
      .getByText(/^(Kept as backup #\d+\.|Nothing changed since the last backup\.)$/)
      .first()
      .waitFor({ timeout: 60_000 });
    await admin.getByRole("button", { name: "Verify the newest" }).click();
    await admin.getByText("It can be restored.").first().waitFor({ timeout: 60_000 });

    const downloading = admin.waitForEvent("download");
    await admin
      .getByRole("link", { name: /^Download: backup #/ })
      .first()
      .click();
    const archive = await (await downloading).path();
    const names = execFileSync("tar", ["-tzf", archive], { encoding: "utf8" });
    expect(names).toContain(".openclaw/state/openclaw.sqlite");

    const before = (await system.status()).startGeneration;
    await admin
      .getByRole("button", { name: /^Restore: backup #/ })
      .first()
      .click();
    await admin.getByRole("alertdialog").getByRole("button", { name: "Restore" }).click();
    await admin.getByText(/^The agent runs with the state of backup #/).waitFor({
      timeout: 240_000,
    });
    expect((await system.status()).startGeneration).toBeGreaterThan(before);
    await admin
      .getByText(/^#\d+ · restored from #\d+$/)
      .first()
      .waitFor();
  });

  test("tails the gateway's log without a secret in it", async () => {
    await admin.getByRole("link", { name: "Logs" }).click();
    const log = admin.getByRole("log");
    await log.locator("p").first().waitFor();
    expect(await log.textContent()).not.toContain(system.token);
  });

  test("signs every browser out, and their open sockets end", async () => {
    await admin.getByRole("link", { name: "Overview" }).click();
    await admin
      .getByText(/ signed in \d/)
      .first()
      .waitFor();
    await admin.getByRole("button", { name: "Sign out everywhere" }).click();
    await admin.getByRole("alertdialog").getByRole("button").last().click();
    await admin.getByText("No browser is signed in.").waitFor();
    const answer = await person.goto(`${system.url}/_moltworker/session`);
    expect(answer?.status()).toBe(401);
  });

  test("stops everything at the panic button and writes down who it was", async () => {
    await admin.getByRole("button", { name: "Panic: stop everything" }).click();
    await admin.getByRole("alertdialog").getByRole("button", { name: "Stop everything" }).click();
    await admin.getByText("Everything is held shut.").waitFor();
    await system.reach("stopped");
    await admin.getByRole("link", { name: "Audit" }).click();
    await admin.getByText("pressed the panic button").waitFor();
    const text = (await admin.textContent("main")) ?? "";
    for (const said of ["approved a device", "started the agent", "signed in to the agent"]) {
      expect(text).toContain(said);
    }
    expect(text).not.toContain(system.token);
  });

  test("says so when everything is gone, and goes on by itself when it is there again", async () => {
    const [port, adminPort] = [system.url, system.adminUrl].map((url) => new URL(url).port);
    await system.stop();
    await admin.getByText(/^Connection lost/).waitFor({ timeout: 60_000 });
    system = await startSystem({
      stateDir,
      args: ["--port", port ?? "", "--admin-port", adminPort ?? ""],
    });
    await admin
      .getByText("Live", { exact: true })
      .or(admin.getByText("Your admin session has ended."))
      .first()
      .waitFor({ timeout: 120_000 });
    expect(new URL(system.adminUrl).port).toBe(adminPort);
  });
});
