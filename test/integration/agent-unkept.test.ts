import { afterAll, beforeAll, expect, it } from "vitest";
import { type AgentRig, startAgentRig } from "../support/agent-rig.ts";

const NOTHING = "No bucket is bound: nothing of this agent is kept.";

let rig: AgentRig;
beforeAll(async () => {
  rig = await startAgentRig({}, "", false);
});
afterAll(() => rig.close());

it("without a bucket the waiting page says that nothing is kept, and the agent starts", async () => {
  const page = await fetch(rig.url, {
    headers: { accept: "text/html", "sec-fetch-mode": "navigate" },
  });
  expect(await page.text()).toContain(NOTHING);
  const status = await rig.until(({ phase }) => phase === "ready");
  expect(status.backups).toBeUndefined();
  await rig.call("lookAfter");
  expect((await rig.status()).phase).toBe("ready");
});

it.each([
  ["backups.list", []],
  ["backups.backUpNow", []],
  ["backups.restore", [1]],
  ["backups.startAfresh", []],
  ["backups.verify", ["all"]],
  ["backups.prune", []],
  ["backups.exportPlan", [1]],
  ["backups.takeRecoveryKit", []],
  ["imports.list", []],
  ["imports.begin", ["moltbot-backup.tar.gz", 100]],
  ["imports.apply", ["bucket"]],
])("without a bucket %s says so and stops nothing", async (name, args) => {
  await rig.call("start");
  const answer = await rig.call(name, ...args);
  expect(answer).toMatchObject({ ok: false });
  expect(JSON.stringify(answer)).toContain(NOTHING);
  expect((await rig.status()).phase).toBe("ready");
});

it("without a bucket it stops and sleeps like any other", async () => {
  await rig.call("start");
  expect(await rig.call("stop")).toEqual({ ok: true });
  await rig.call("start");
  await rig.call("setSleepAfter", 100);
  await rig.until(({ phase }) => phase === "stopped");
});
