/** What an agent says about why it is not ready, or why it still is. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";

let rig: AgentRig;
beforeAll(async () => {
  rig = await startAgentRig();
});
afterEach(() => rig.reset());
afterAll(() => rig.close());

const failedStatus = (startGeneration: number, lastError: string) => ({
  ...{ protocol: 1, agentId: "main", startGeneration, isolation: "none" },
  gateway: { state: "failed", restarts: 3, lastError },
  ...{ memory: { supervisor: 1 }, uptimeMs: 1, connections: 0 },
});

/** Of the latest start: why it failed, and whether it is told that the sandbox ended of itself. */
async function told(startGeneration: number) {
  const { events = [] } = await rig.until((now) => now.startGeneration > startGeneration);
  const failed = events.find(({ text }) => text.startsWith("ready → failed"));
  return { failed: failed?.text, exits: events.filter(({ kind }) => kind === "sandbox-exit") };
}

test("a gateway that gave up: its own last words, not how its sandbox was taken away", async () => {
  await rig.call("start");
  const { startGeneration } = await rig.until(({ phase }) => phase === "ready");
  const status = failedStatus(startGeneration, "exit 78: Invalid config: gateway.prot");
  const token = await rig.controlToken();
  expect(await rig.call("report", { kind: "status", status }, token)).toEqual({ ok: true });
  expect(await told(startGeneration)).toEqual({
    failed: "ready → failed: exit 78: Invalid config: gateway.prot",
    exits: [],
  });
});

test("a supervisor that stopped answering: that it did not answer", async () => {
  await rig.call("start");
  const { startGeneration } = await rig.until(({ phase }) => phase === "ready");
  rig.freeze(true);
  expect(await told(startGeneration)).toEqual({
    failed: expect.stringContaining("GET /v1/status"),
    exits: [],
  });
});

test("a stop that was refused: in the audit log, because whoever asked may have been answered before", async () => {
  await rig.scenario({ unkeepable: "store" });
  await rig.call("start");
  const reason = "Not stopped, because the present state is not kept yet: it is store.";
  expect(await rig.call("stop")).toEqual({ ok: false, reason });
  expect(await rig.call("audit.read", { limit: 1 })).toMatchObject({
    entries: [{ kind: "stop-refused", who: "", from: "", detail: reason }],
  });
  await rig.call("shutDown");
});

test("a start on a platform that never answers: which answer was missing, instead of hanging", async () => {
  await rig.call("stallTimeouts");
  const started = await rig.call("start");
  await rig.call("evict").catch(() => undefined);
  expect(started).toEqual({
    ok: false,
    reason: "The sandbox could not be started: The sandbox's timeout did not answer within 3000 ms",
  });
});
