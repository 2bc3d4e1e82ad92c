import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StartEvent } from "../../src/local/start/report.ts";
import { runCommand, startLocal } from "../support/start-local.ts";
import type { LocalStart } from "../support/start-local.ts";

const READY_MS = 240_000;
const GONE = { timeout: 60_000 };

let folder = "";
let state = "";
let local: LocalStart | undefined;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-local-"));
  state = path.join(folder, "state");
  local = await startLocal({ stateDir: state });
});
afterAll(async () => {
  await local?.stop();
  await rm(folder, { recursive: true, force: true });
});

function running(): LocalStart {
  if (local === undefined) throw new Error("not started");
  return local;
}

const isReady = (event: StartEvent) => event.event === "phase" && event.phase === "ready";

test("it says where to go and what is configured, and nothing secret besides the two links", () => {
  const { events, token } = running();
  const names = events.flatMap((event) => (event.event === "status" ? [event.name] : []));
  expect(names).toEqual(
    expect.arrayContaining(["Models", "Sandbox", "Egress", "State", "Browser", "Channels"]),
  );
  const rest = events.filter((event) => event.event !== "listening");
  expect(JSON.stringify(rest)).not.toContain(token);
});

test("the agent starts by itself and becomes ready", async () => {
  expect(await running().event(isReady, READY_MS)).toMatchObject({ startGeneration: 1 });
}, 300_000);

test("the Control UI link is exchanged for a cookie, which opens the page", async () => {
  const { controlUi, url } = running();
  const entered = await fetch(controlUi, {
    redirect: "manual",
    headers: { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  });
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(cookie).not.toBe("");
  const page = await fetch(`${url}/`, { headers: { accept: "text/html", cookie } });
  expect(await page.text()).toContain("/_moltworker/bootstrap.js");
  const without = await fetch(`${url}/`, { headers: { accept: "text/html" } });
  expect(without.status).toBe(401);
});

test("the admin link works once, and its cookie reads the agent's status", async () => {
  const { admin, adminUrl } = running();
  const entered = await fetch(admin, { redirect: "manual" });
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(cookie).not.toBe("");
  const status = await fetch(`${adminUrl}/api/status`, { headers: { cookie } });
  expect(status.status).toBe(200);
  expect(await status.json()).toMatchObject({ phase: "ready" });
  const again = await fetch(admin, { redirect: "manual" });
  expect(again.headers.get("set-cookie")).toBeNull();
});

test("a second start on the same state folder says so, names the first, and ends with 1", async () => {
  const second = await runCommand(["start", "--port=0", "--admin-port=0", "--state-dir", state]);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("already running");
  expect(second.stderr).toContain(running().url);
});

test("a workerd that is killed is started again, says so, and finds the sandbox still running", async () => {
  const { pid, event, url, token } = running();
  const ask = async () => {
    const reply = await fetch(`${url}/readyz`, { headers: { authorization: `Bearer ${token}` } });
    return { status: reply.status, body: await reply.text() };
  };
  expect(await ask()).toMatchObject({ status: 200, body: expect.stringContaining("ready") });
  const family = descendants(pid);
  const gateway = family.find(({ name }) => name.startsWith("openclaw"));
  kill(family.find(({ name }) => name === "workerd")?.pid ?? Number.NaN);
  await event((one) => one.event === "note" && one.text.includes("workerd died"), 60_000);
  expect(await ask()).toMatchObject({ status: 200, body: expect.stringContaining("ready") });
  expect(isRunning(gateway?.pid ?? Number.NaN)).toBe(true);
});

test("a workerd that stands still is ended and started again, says so, and finds the sandbox still running", async () => {
  const { pid, event, events, url, token } = running();
  const from = events.length;
  const family = descendants(pid);
  const gateway = family.find(({ name }) => name.startsWith("openclaw"));
  process.kill(family.find(({ name }) => name === "workerd")?.pid ?? Number.NaN, "SIGSTOP");
  const isNew = (one: StartEvent) => events.indexOf(one) >= from;
  const says = (kind: "warning" | "note", text: string) => (one: StartEvent) =>
    one.event === kind && one.text.includes(text) && isNew(one);
  await event(says("warning", "workerd has given no answer for"), 240_000);
  await event(says("note", "workerd died and was started again"), 60_000);
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${url}/readyz`, { headers })).status).toBe(200);
  expect(isRunning(gateway?.pid ?? Number.NaN)).toBe(true);
}, 420_000);

test("a workerd that is killed again and again while it is being started comes up in the end", async () => {
  const { pid, event, events, url, token } = running();
  const from = events.length;
  const killed = new Set<number>();
  for (const end = Date.now() + 60_000; killed.size < 3 && Date.now() < end; await sleep(5)) {
    for (const one of descendants(pid)) {
      if (one.name !== "workerd" || killed.has(one.pid)) continue;
      killed.add(one.pid);
      kill(one.pid);
    }
  }
  expect(killed.size).toBeGreaterThan(1);
  const isBack = (one: StartEvent) =>
    one.event === "note" && one.text.includes("workerd died") && events.indexOf(one) >= from;
  await event(isBack, 60_000);
  const headers = { authorization: `Bearer ${token}` };
  await expect
    .poll(async () => (await fetch(`${url}/readyz`, { headers })).status, { timeout: 60_000 })
    .toBe(200);
});

test("Ctrl-C ends everything with 0, and the next start finds the state again", async () => {
  const first = running();
  const family = descendants(first.pid).map(({ pid }) => pid);
  expect(await first.stop()).toBe(0);
  local = undefined;
  expect(first.events.at(-1)).toEqual({ event: "stopped" });
  // The kernel takes a moment to let go of a process of a gigabyte.
  await expect.poll(() => family.filter((pid) => isRunning(pid)), GONE).toEqual([]);
  expect(await readdir(state)).not.toContain("lock.json");

  const token = (await readFile(path.join(state, "gateway-token"), "utf8")).trim();
  local = await startLocal({ stateDir: state });
  expect(local.token).toBe(token);
  await local.event(isReady, READY_MS);
}, 300_000);

test("what a killed start left running is ended by the next one, which becomes ready", async () => {
  const first = running();
  const family = descendants(first.pid);
  const server = family[0]?.pid ?? Number.NaN;
  kill(first.pid);
  kill(server);
  await first.exited;
  local = await startLocal({ stateDir: state });
  await expect.poll(() => family.filter(({ pid }) => isRunning(pid)), GONE).toEqual([]);
  expect(await local.event(isReady, READY_MS)).toMatchObject({ phase: "ready" });
}, 300_000);

test("an address that others reach shows them an admin who has to come through Access, and no local link", async () => {
  const outside = Object.values(os.networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;
  // Where there is no network, an address that only something that listens on all of them answers at.
  const address = outside ?? "127.0.0.2";
  const exposed = await startLocal({
    stateDir: path.join(folder, "exposed"),
    args: ["--host", "0.0.0.0"],
    env: {
      CF_ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com",
      CF_ACCESS_AUD: "a".repeat(64),
      ADMIN_EMAILS: "me@example.org",
      WORKER_URL: "https://agent.example.org",
    },
  });
  try {
    expect(new URL(exposed.controlUi).origin).toBe("https://agent.example.org");
    const port = exposed.events.flatMap((one) => (one.event === "listening" ? [one.port] : []))[0];
    const there = `http://${address}:${port}`;
    expect((await fetch(`${there}/healthz`)).status).toBe(200);
    expect((await fetch(`${there}/`, { headers: { accept: "text/html" } })).status).toBe(401);
    const status = await fetch(`${there}/api/status`);
    expect(status.status).toBeGreaterThanOrEqual(401);
    expect(await status.text()).toContain("access_login_required");
    const link = new URL(exposed.admin);
    const withLink = await fetch(`${there}${link.pathname}${link.search}`, { redirect: "manual" });
    expect(withLink.headers.get("set-cookie")).toBeNull();
    await expect(fetch(`http://${address}:${link.port}/`)).rejects.toThrow("fetch failed");
  } finally {
    await exposed.stop();
  }
});

interface Process {
  pid: number;
  name: string;
}

/** Every process below this one, the nearest first. */
function descendants(root: number): Process[] {
  const table = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, name = ""]) => ({ pid: Number(pid), parent: Number(parent), name }));
  const found: Process[] = [];
  const wanted = [root];
  for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
    for (const { pid, parent, name } of table) {
      if (parent !== next) continue;
      found.push({ pid, name });
      wanted.push(pid);
    }
  }
  return found;
}

/** A process that has ended may wait for the system to take note: it runs no more. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
