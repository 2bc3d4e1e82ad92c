/** What a stop waits for, and what follows when the last backup before it fails. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type AgentRig, startAgentRig } from "../support/agent-rig.ts";

let rig: AgentRig;
beforeAll(async () => {
  rig = await startAgentRig();
});
afterEach(() => rig.reset());
afterAll(() => rig.close());

const alerts = async (): Promise<number> =>
  (await rig.status()).events?.filter(({ kind }) => kind === "backup").length ?? 0;

describe("a restart of the Durable Object", () => {
  it("lets a stop that is under way come to its last backup", async () => {
    await rig.scenario({ stopMs: 5_000 });
    await rig.call("start");
    const stop = rig.call("stop");
    await eventually(async () => (await rig.log()).includes("stop"));
    await Promise.all([
      expect(rig.call("evict")).rejects.toThrow("evicted"),
      expect(stop).rejects.toThrow("evicted"),
    ]);
    await rig.until(({ phase }) => phase === "stopped");
    const log = (await rig.log()).filter((line) => line.startsWith("stop"));
    expect(log.slice(0, 2)).toEqual(["stop", "stop"]);
    expect(log).toContain("stopped");
    expect((await rig.status()).backups?.alert).toBeUndefined();
  });

  it("does not wait for a stop when panic holds the agent", async () => {
    await rig.scenario({ stopMs: 60_000 });
    await rig.call("start");
    const stop = rig.call("stop");
    await eventually(async () => (await rig.log()).includes("stop"));
    await Promise.all([
      expect(rig.call("panicEvicted")).rejects.toThrow("evicted"),
      expect(stop).rejects.toThrow("evicted"),
    ]);
    await rig.until(({ phase }) => phase === "stopped");
    expect((await rig.log()).filter((line) => line === "stop")).toHaveLength(1);
    await rig.call("security.panicOver", { by: "owner@example.com", from: "192.0.2.1" });
  });
});

describe("a stop", () => {
  it("is refused while the state cannot be kept, and a shutdown is made all the same", async () => {
    await rig.scenario({ unkeepable: "store" });
    await rig.call("start");
    const refused = { ok: false, reason: expect.stringContaining("it is store") };
    expect(await rig.call("stop")).toEqual(refused);
    expect(await rig.call("restart")).toEqual(refused);
    expect(await rig.call("backups.restore", 1)).toEqual(refused);
    expect(await rig.call("backups.startAfresh")).toEqual(refused);
    expect((await rig.status()).phase).toBe("ready");
    expect(await rig.call("shutDown")).toEqual({ ok: true });
  });

  it.each(["closed", "broken", "invalid"] as const)(
    "is made when no later backup could do better (%s), and says what is lost",
    async (unkeepable) => {
      await rig.scenario({ unkeepable, lastBackup: `${unkeepable}: it is ${unkeepable}` });
      await rig.call("start");
      const made = { ok: true, unkept: `it is ${unkeepable}` };
      expect(await rig.call("restart")).toEqual(made);
      expect(await rig.call("stop")).toEqual(made);
    },
  );
});

describe("a stop whose last backup failed", () => {
  it("raises an alert that stands until the state is kept again", async () => {
    const before = await alerts();
    await rig.scenario({ lastBackup: "store: the bucket does not answer" });
    await rig.call("start");
    expect(await rig.call("stop")).toEqual({ ok: true });
    const { phase, backups } = await rig.status();
    expect(phase).toBe("stopped");
    expect(backups?.alert?.text).toBe(
      "Stopped without a last backup: store: the bucket does not answer",
    );
    expect(await alerts()).toBe(before + 1);
    await rig.scenario({});
    await rig.call("start");
    await rig.schedule();
    expect((await rig.status()).backups?.alert).toBeUndefined();
  });

  it("raises one as well when the sandbox does not answer, and none when nothing ran in it", async () => {
    await rig.scenario({ stopFails: true });
    await rig.call("start");
    expect(await rig.call("stop")).toEqual({ ok: true });
    expect((await rig.status()).backups?.alert?.text).toMatch(
      /^Stopped without a last backup: .*out of memory/,
    );
    await rig.scenario({});
    await rig.call("start");
    await rig.schedule();
    await rig.call("stop");
    await rig.scenario({ stopFails: true, bootMs: 20_000 });
    const start = rig.call("start");
    await rig.until(({ phase }) => phase === "restoring");
    expect(await rig.call("stop")).toEqual({ ok: true });
    expect(await start).toMatchObject({ ok: false });
    expect((await rig.status()).backups?.alert).toBeUndefined();
  });

  it.each([["backups.startAfresh"], ["backups.restore", 1]] as const)(
    "lets %s change nothing: the agent goes on with what it has",
    async (name, ...args) => {
      const key = "agents/main/backups/manifest.json";
      await rig.scenario({ lastBackup: "store: the bucket does not answer" });
      await rig.call("start");
      const heads = async () => JSON.parse(await rig.object(key)).recent.length;
      const before = await heads();
      expect(await rig.call(name, ...args)).toEqual({
        ok: false,
        reason: expect.stringMatching(/^Nothing was changed, .*the bucket does not answer/),
      });
      expect((await rig.status()).phase).toBe("ready");
      expect(await heads()).toBe(before);
      await rig.scenario({});
      await rig.call("restart");
      await rig.schedule();
    },
  );

  it("lets no archive be taken in: it does not wait for the next start either", async () => {
    await rig.scenario({ lastBackup: "store: the bucket does not answer" });
    await rig.call("start");
    const id = await uploadArchive();
    expect(await rig.call("imports.apply", id)).toMatchObject({ ok: false });
    expect(await rig.call("imports.list")).toMatchObject({ value: [{ id, state: "uploaded" }] });
    await rig.scenario({});
    await rig.call("restart");
    expect(await rig.call("imports.apply", id)).toMatchObject({ ok: true });
    expect(await rig.call("imports.list")).toMatchObject({ value: [{ id, state: "waiting" }] });
    expect(await rig.call("imports.drop", id)).toMatchObject({ ok: true });
    await rig.schedule();
  });

  it("raises none when it worked", async () => {
    const before = await alerts();
    await rig.call("start");
    await rig.call("stop");
    expect(await alerts()).toBe(before);
    expect((await rig.status()).backups?.alert).toBeUndefined();
  });
});

describe("a state that no backup can take", () => {
  const MANIFEST = "agents/main/backups/manifest.json";
  const LOST = "broken: the gateway's database is broken";
  const made = { ok: true, unkept: "it is broken" };
  const manifest = async () => JSON.parse(await rig.object(MANIFEST));

  it("is in the way of neither a start afresh nor a restore, and both say that it is lost", async () => {
    await rig.scenario({ unkeepable: "broken", lastBackup: LOST });
    await rig.call("start");
    expect(await rig.call("backups.startAfresh")).toEqual(made);
    await rig.call("stop");
    const { recent, ...rest } = await manifest();
    const [empty] = recent.slice(-1);
    expect(empty.reason).toBe("afresh");
    const list = { pack: "1.0", sha256: "0".repeat(64) };
    const good = { ...empty, n: empty.n + 1, reason: "change", needs: ["1.0"], list };
    await rig.setObject(MANIFEST, JSON.stringify({ ...rest, recent: [...recent, good] }));
    await rig.call("start");
    expect(await rig.call("backups.restore", good.n)).toEqual(made);
    expect((await manifest()).recent.at(-1)).toMatchObject({ reason: "restore", of: good.n });
    const { phase, events = [] } = await rig.status();
    expect(phase).toBe("ready");
    expect(events.map(({ text }) => text)).toContain(`Stopped without a last backup: ${LOST}`);
    await rig.scenario({});
    await rig.call("restart");
    await rig.schedule();
  });
});

describe("an archive that the start does not take in", () => {
  it("is said in the answer and stays an alert until it is dropped or tried again", async () => {
    await rig.scenario({ gatewayMs: 3_000 });
    await rig.call("start");
    const id = await uploadArchive();
    const refused = { ok: false, reason: "The archive was not taken in: it is no archive" };
    const alert = async () => (await rig.status()).backups?.alert?.text;

    const { startGeneration: before } = await rig.status();
    const applied = rig.call("imports.apply", id);
    const { startGeneration } = await rig.until(
      (now) => now.phase === "booting" && now.startGeneration > before,
    );
    const caller = { startGeneration, token: await rig.controlToken() };
    const outcome = { id, problem: "it is no archive" };
    await rig.call("backup", caller, { call: "import-refused", outcome });
    expect(await applied).toEqual(refused);
    expect(await rig.call("imports.list")).toMatchObject({ value: [{ id, state: "refused" }] });
    await rig.schedule();
    expect(await alert()).toBe(refused.reason.replace("The", "An"));

    expect(await rig.call("imports.apply", id)).toEqual({ ok: true });
    expect(await alert()).toBeUndefined();
    const again = { startGeneration: startGeneration + 1, token: await rig.controlToken() };
    await rig.call("backup", again, { call: "import-refused", outcome });
    expect(await alert()).toBeDefined();
    expect(await rig.call("imports.drop", id)).toMatchObject({ ok: true });
    expect(await alert()).toBeUndefined();
  });
});

/** @returns its id */
async function uploadArchive(): Promise<string> {
  const view = z.object({ value: z.object({ id: z.string() }) });
  const { id } = view.parse(await rig.call("imports.begin", "a.tar", 3)).value;
  const place = z.object({ value: z.object({ key: z.string() }) });
  await rig.setObject(place.parse(await rig.call("imports.part", id, 0, 3)).value.key, "tar");
  await rig.call("imports.stored", id, 0);
  return id;
}

async function eventually(done: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    if (await done()) return;
    await pause(50);
  }
  throw new Error("it never came");
}
