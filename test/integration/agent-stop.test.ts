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
    const refused = { ok: false, reason: expect.stringContaining("the bucket does not answer") };
    expect(await rig.call("stop")).toEqual(refused);
    expect(await rig.call("restart")).toEqual(refused);
    expect((await rig.status()).phase).toBe("ready");
    expect(await rig.call("shutDown")).toEqual({ ok: true });
  });

  it("is made when no later backup could do better", async () => {
    await rig.scenario({ unkeepable: "closed" });
    await rig.call("start");
    expect(await rig.call("stop")).toEqual({ ok: true });
  });
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
    const view = z.object({ value: z.object({ id: z.string() }) });
    const { id } = view.parse(await rig.call("imports.begin", "a.tar", 3)).value;
    const place = z.object({ value: z.object({ key: z.string() }) });
    await rig.setObject(place.parse(await rig.call("imports.part", id, 0, 3)).value.key, "tar");
    await rig.call("imports.stored", id, 0);
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

async function eventually(done: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    if (await done()) return;
    await pause(50);
  }
  throw new Error("it never came");
}
