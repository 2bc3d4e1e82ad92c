/** The list of approved devices at the front port: always the one that is recorded. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";

const DEVICE = "ab".repeat(32);
const OWNER = { by: "owner@example.org", from: "203.0.113.9" };
let rig: AgentRig;
beforeAll(async () => {
  rig = await startAgentRig();
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

const lists = async (): Promise<string[]> =>
  (await rig.log()).filter((line) => line.startsWith("devices "));

async function approved(): Promise<void> {
  await rig.scenario({ pending: [{ requestId: "r1", deviceId: DEVICE }] });
  await rig.call("start");
  expect(await rig.call("devices.approve", DEVICE, "me")).toEqual({ ok: true });
}

test("a device that is removed during a start is out when that start is ready", async () => {
  await approved();
  await rig.reset();
  await rig.scenario({ gatewayMs: 3_000 });
  const start = rig.call("start");
  await rig.until(({ phase }) => phase === "booting");
  expect((await rig.log()).findLast((line) => line.startsWith("boot"))).toMatch(/ 1$/);
  expect(await rig.call("devices.remove", DEVICE, OWNER)).toEqual({ ok: true });
  expect(await start).toEqual({ ok: true });
  await expect.poll(lists).toEqual(["devices "]);
});

test("a sandbox that is taken over is told the list: the call before may have ended half-way", async () => {
  await approved();
  const before = (await lists()).length;
  await expect(rig.call("evict")).rejects.toThrow("evicted");
  await rig.until(({ events }) => events?.[0]?.kind === "adopted");
  await expect.poll(async () => (await lists()).length).toBe(before + 1);
  expect((await lists()).at(-1)).toBe("devices abab");
});

test("a list that did not arrive is sent again until it does, and it is said", async () => {
  await rig.scenario({ devicesFail: true });
  await rig.call("start");
  await expect.poll(async () => (await lists()).length).toBeGreaterThan(2);
  const { events = [] } = await rig.status();
  expect(events.some(({ text }) => text.includes("did not reach the sandbox"))).toBe(true);
});

test("a removal is in the audit log before the sandbox has heard of it", async () => {
  await rig.scenario({ devicesFail: true });
  await rig.call("start");
  expect(await rig.call("devices.remove", DEVICE, OWNER)).toMatchObject({ ok: false });
  expect(await rig.call("audit.read", { limit: 1 })).toMatchObject({
    entries: [{ kind: "device-removed", who: OWNER.by, from: OWNER.from, detail: DEVICE }],
  });
});
