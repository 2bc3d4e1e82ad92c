/** The audit log, sessions and the panic button, in the Durable Object that keeps them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { appsReply } from "../../src/protocol/admin-apps.ts";
import { auditReply } from "../../src/protocol/admin-audit.ts";
import { devicesReply } from "../../src/protocol/admin-devices.ts";
import { securityReply } from "../../src/protocol/admin-security.ts";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";

let rig: AgentRig;

const OWNER = { by: "owner@example.org", from: "203.0.113.9" };

beforeAll(async () => {
  rig = await startAgentRig();
});
afterAll(() => rig.close());
beforeEach(async () => {
  await rig.call("security.panicOver", OWNER);
  await rig.reset();
});

const done = z.object({ ok: z.boolean(), reason: z.string().optional() });
const security = async () => securityReply.parse(await rig.call("security.overview"));
const audit = async (query: object = { limit: 50 }) =>
  auditReply.parse(await rig.call("audit.read", query));
const entry = (detail: string) => ({
  kind: "device-approved",
  who: "owner@example.org",
  from: "203.0.113.9",
  detail,
  times: 1,
});
const asSession = (issuedAt: number) =>
  fetch(new URL("/hello", rig.url), { headers: { "x-moltworker-session": String(issuedAt) } });

describe("the audit log", () => {
  test("keeps what it is told over an eviction, newest first, in pages", async () => {
    await rig.call("audit.record", [entry("one"), entry("two\nthree\u202e")]);
    await rig.call("evict").catch(() => undefined);
    const first = await audit({ limit: 1 });
    expect(first.entries[0]).toMatchObject({ who: "owner@example.org", detail: "two three " });
    expect(first.more).toBe(true);
    const [older] = (await audit({ limit: 1, before: first.entries[0]?.n })).entries;
    expect(older).toMatchObject({ kind: "device-approved", detail: "one" });
  });

  test("tells the pages that follow", async () => {
    const before = (await rig.status()).revisions;
    await rig.call("audit.record", [entry("again")]);
    expect((await rig.status()).revisions["audit"]).toBeGreaterThan(before["audit"] ?? Infinity);
  });
});

describe("sessions", () => {
  test("are listed as they began and end all at once, while a program's own token goes on", async () => {
    const issuedAt = Date.now() - 1000;
    await rig.call("security.noteSession", {
      id: "abc",
      issuedAt,
      from: "203.0.113.9",
      browser: "Firefox, Linux",
    });
    expect((await security()).sessions).toEqual([
      { id: "abc", issuedAt, from: "203.0.113.9", browser: "Firefox, Linux" },
    ]);
    expect((await asSession(issuedAt)).status).not.toBe(401);
    expect(await rig.call("session", issuedAt)).toMatchObject({ agentId: "main" });

    expect(done.parse(await rig.call("security.endSessions", OWNER)).ok).toBe(true);
    expect((await asSession(issuedAt)).status).toBe(401);
    expect(await rig.call("session", issuedAt)).toBeNull();
    expect((await security()).sessions).toEqual([]);
    await rig.call("evict").catch(() => undefined);
    expect((await asSession(issuedAt)).status).toBe(401);
    expect((await asSession(Date.now() + 5)).status).not.toBe(401);
    expect((await fetch(new URL("/hello", rig.url))).status).not.toBe(401);
  });

  test("that end take the streams along that follow the agent, and nobody else's", async () => {
    const follow = (headers: Record<string, string>) =>
      fetch(new URL("/_moltworker/events", rig.url), { headers });
    const guest = await follow({ "x-moltworker-session": String(Date.now()) });
    const other = await follow({});
    expect([guest.status, other.status]).toEqual([200, 200]);
    await rig.call("security.endSessions", OWNER);
    // Ends: a stream that is still open would never be read to its end.
    expect(await guest.text()).toContain("data: ");
    const reader = other.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
  });

  test("that end take their open sockets along: the front port is told that nobody is approved, then who is", async () => {
    await rig.call("start");
    await rig.until(({ phase }) => phase === "ready");
    expect(done.parse(await rig.call("security.endSessions", OWNER))).toEqual({ ok: true });
    const pushes = (await rig.log()).filter((line) => line.includes("devices"));
    // The first of them is the list that each start is told.
    expect(pushes.length).toBeGreaterThanOrEqual(3);
  });
});

describe("the panic button", () => {
  test("destroys the sandbox at once, ends sessions, and nothing starts until it is opened again", async () => {
    await rig.call("start");
    await rig.until(({ phase }) => phase === "ready");
    const issuedAt = Date.now() - 1000;
    expect(done.parse(await rig.call("security.panic", OWNER))).toEqual({ ok: true });
    expect((await rig.status()).phase).toBe("stopped");
    expect((await rig.log()).filter((line) => line.includes("stop"))).toEqual([]);
    expect((await security()).panic?.by).toBe("owner@example.org");
    expect((await asSession(issuedAt)).status).toBe(401);
    expect((await fetch(new URL("/hello", rig.url))).status).toBe(503);
    expect(done.parse(await rig.call("start")).ok).toBe(false);
    expect(done.parse(await rig.call("restart")).ok).toBe(false);
    await rig.call("evict").catch(() => undefined);
    expect(done.parse(await rig.call("start")).ok).toBe(false);
    expect((await rig.status()).phase).toBe("stopped");

    await rig.call("security.panicOver", OWNER);
    expect(done.parse(await rig.call("start")).ok).toBe(true);
  });

  test("ends a sandbox that the platform did not end at first, and says until then that it failed", async () => {
    await rig.call("start");
    await rig.until(({ phase }) => phase === "ready");
    await rig.call("refuseEnds", 4);
    expect(done.parse(await rig.call("security.panic", OWNER))).toEqual({
      ok: false,
      reason: "The platform does not answer.",
    });
    expect(await rig.call("egress.held")).toBe(true);
    await rig.until(
      ({ events }) => events?.some(({ text }) => text.includes("outlived its stop")) === true,
    );
    await expect(rig.kill()).rejects.toThrow("no sandbox runs");
    expect((await rig.status()).phase).toBe("stopped");
  });

  test("works in the middle of a start", async () => {
    await rig.scenario({ gatewayMs: 3_000 });
    void rig.call("start");
    await rig.until(({ phase }) => phase === "booting");
    expect(done.parse(await rig.call("security.panic", OWNER))).toEqual({ ok: true });
    expect((await rig.status()).phase).toBe("stopped");
  });
});

test("devices say when they were last seen, and that they are here now", async () => {
  const id = (pair: string) => pair.repeat(32);
  await rig.scenario({
    paired: [
      { deviceId: id("1a"), lastSeenAtMs: 1000, tokens: [{ lastUsedAtMs: 3000 }, {}] },
      { deviceId: id("2b"), lastSeenAtMs: 1000, connected: true },
      { deviceId: id("3c") },
    ],
  });
  await rig.call("start");
  await rig.until(({ phase }) => phase === "ready");
  const before = Date.now();
  const { paired } = devicesReply.parse(await rig.call("devices.list"));
  const [used, here, unseen] = paired.map(({ lastSeenAt }) => lastSeenAt);
  expect(used).toBe(3000);
  expect(here).toBeGreaterThanOrEqual(before);
  expect(unseen).toBeUndefined();
});

describe("apps", () => {
  const ID = "a".repeat(24);
  const DEVICE = "cd".repeat(32);
  const asApp = (id: string) =>
    fetch(new URL("/hello", rig.url), { headers: { "x-moltworker-app": id } });
  const code = (hash: string, expiresAt = Date.now() + 60_000) => ({
    ...{ hash, name: "Phone", by: "owner@example.org", expiresAt },
  });
  const redeem = async (hash: string, more: object = {}) =>
    done.parse(await rig.call("apps.redeem", { hash, id: ID, from: "203.0.113.9", ...more }));
  const apps = async () => appsReply.parse(await rig.call("apps.list"));
  const approvals = async () =>
    (await audit()).entries.filter(({ kind }) => kind === "device-approved");

  beforeEach(async () => {
    await rig.call("apps.remove", ID, OWNER);
    await rig.call("devices.remove", DEVICE);
  });

  test("are let in by a live code, once, over an eviction, until they are removed", async () => {
    await rig.call("apps.noteCode", code("one"));
    await rig.call("apps.noteCode", code("late", Date.now() - 1));
    await rig.call("evict").catch(() => undefined);
    expect((await redeem("unknown")).ok).toBe(false);
    expect((await redeem("late")).ok).toBe(false);
    expect((await asApp(ID)).status).toBe(401);
    expect(await redeem("one")).toEqual({ ok: true });
    expect((await redeem("one", { id: "b".repeat(24) })).ok).toBe(false);
    await rig.call("evict").catch(() => undefined);
    expect((await asApp(ID)).status).not.toBe(401);
    expect((await asApp("b".repeat(24))).status).toBe(401);
    expect(await rig.call("session", Date.now() + 60_000, ID)).toMatchObject({ agentId: "main" });
    expect((await apps()).apps).toMatchObject([{ id: ID, name: "Phone", from: "203.0.113.9" }]);
    expect(done.parse(await rig.call("apps.remove", ID, OWNER)).ok).toBe(true);
    expect((await asApp(ID)).status).toBe(401);
    expect(await rig.call("session", Date.now() + 60_000, ID)).toBeNull();
  });

  test("that are removed take every open socket along", async () => {
    await rig.call("apps.noteCode", code("two"));
    await redeem("two");
    await rig.call("start");
    await rig.until(({ phase }) => phase === "ready");
    expect(done.parse(await rig.call("apps.remove", ID, OWNER))).toEqual({ ok: true });
    const pushes = (await rig.log()).filter((line) => line.includes("devices"));
    expect(pushes.length).toBeGreaterThanOrEqual(3);
  });

  test("have their device approved when it asks, and not again after an admin removed it", async () => {
    await rig.scenario({ pending: [{ deviceId: DEVICE, requestId: "r1", ts: 1 }] });
    await rig.call("apps.noteCode", code("three"));
    await redeem("three", { deviceId: DEVICE });
    const before = (await approvals()).length;
    await rig.call("start");
    await expect.poll(async () => (await approvals()).length, { timeout: 30_000 }).toBe(before + 1);
    expect((await approvals())[0]).toMatchObject({
      who: "owner@example.org",
      detail: `${DEVICE} by its pairing code`,
    });
    await rig.call("devices.remove", DEVICE);
    await rig.call("stop");
    await rig.call("start");
    await rig.until(({ phase }) => phase === "ready");
    await rig.call("devices.list");
    expect((await approvals()).length).toBe(before + 1);
  });

  test("are out after everything was signed out, and after a panic", async () => {
    for (const [hash, method] of [
      ["four", "security.endSessions"],
      ["five", "security.panic"],
    ] as const) {
      await rig.call("apps.noteCode", code(hash));
      await redeem(hash);
      await rig.call(method, OWNER);
      await rig.call("security.panicOver", OWNER);
      expect((await asApp(ID)).status).toBe(401);
      expect(await apps()).toEqual({ apps: [], codes: [] });
    }
  });
});
