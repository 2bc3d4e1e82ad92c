/** What a warm request costs in calls: the numbers behind `docs/performance.md`, without a clock. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";
import { startWorkerServer, TOKEN, type WorkerServer } from "../support/worker-server.ts";

describe("the Worker", () => {
  let worker: WorkerServer;
  beforeAll(async () => {
    worker = await startWorkerServer({ EGRESS_ALLOW: "allowed.example" }, { noOutside: true });
  });
  afterAll(() => worker.close());
  beforeEach(() => worker.calls());

  const get = (path: string) =>
    worker.ask("AgentFace", { path, headers: { Authorization: `Bearer ${TOKEN}` } });
  const callsOf = async () => (await worker.calls()).map(({ name }) => name);

  test("makes one call of the Durable Object for a request to the agent", async () => {
    for (let count = 0; count < 3; count += 1) expect((await get("/readyz")).status).toBe(200);
    expect(await callsOf()).toEqual(["fetch", "fetch", "fetch"]);
  });

  test("makes one call of the Durable Object for a WebSocket", async () => {
    await worker.ask("AgentFace", {
      path: "/ws",
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    });
    expect(await callsOf()).toEqual(["fetch"]);
  });

  test("makes no call at all for a file of the Control UI, its page or its own health", async () => {
    const paths = ["/assets/index-Ab12_-Zz.js", "/favicon.svg", "/", "/healthz"];
    const answers = await Promise.all(paths.map(get));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await callsOf()).toEqual([]);
  });

  test("refuses a stranger without any call", async () => {
    expect((await worker.ask("AgentFace", { path: "/readyz" })).status).toBe(401);
    expect(await callsOf()).toEqual([]);
  });

  test("fetches nothing from outside for any of them", async () => {
    for (const path of ["/readyz", "/", "/favicon.svg", "/healthz"]) await get(path);
    expect(worker.fetched).toEqual([]);
    // The count does see what leaves.
    await worker.outbound("http://allowed.example/page");
    expect(worker.fetched).toEqual(["http://allowed.example/page"]);
  });
});

describe("the agent's Durable Object", () => {
  let rig: AgentRig;
  beforeAll(async () => {
    rig = await startAgentRig();
  });
  afterAll(() => rig.close());

  test("fetches nothing from outside for a cold request nor for warm ones", async () => {
    for (let count = 0; count < 3; count += 1) {
      expect((await fetch(new URL("/page", rig.url))).status).toBe(200);
    }
    expect(rig.fetched).toEqual([]);
  });
});
