import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startAnthropic } from "../emulators/anthropic.ts";
import { callsOf, spendOverviewOf } from "../support/ai-admin.ts";
import { eventually } from "../support/ai-eventually.ts";
import { ANTHROPIC_KEY } from "../support/ai-rig.ts";
import type { Emulator } from "../support/ai-emulator.ts";
import { startAiWorker, type AiWorker } from "../support/ai-worker.ts";

const CALL = {
  method: "POST",
  headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
  body: '{"model":"claude-opus-5","max_tokens":1000,"stream":true,"messages":[]}',
};

let stateDir: string;
let provider: Emulator;
beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), "moltworker-ai-crash-"));
  provider = await startAnthropic();
});
afterEach(async () => {
  await provider.close();
  await rm(stateDir, { recursive: true, force: true });
});

function start(): Promise<AiWorker> {
  return startAiWorker({ anthropic: { apiKey: ANTHROPIC_KEY, baseUrl: provider.url }, stateDir });
}

async function settleOne(worker: AiWorker): Promise<void> {
  await (await fetch(`${worker.url}/anthropic/v1/messages`, CALL)).text();
  await eventually(async () => (await callsOf({ worker }))[0]?.state === "settled");
}

it("a killed runtime leaves no call uncounted: what was open counts in full, and is marked", async () => {
  const first = await start();
  await settleOne(first);
  provider.keepFailing({ kind: "stall", afterEvents: 4 });
  const open = Array.from({ length: 5 }, () =>
    fetch(`${first.url}/anthropic/v1/messages`, CALL)
      .then((response) => response.text())
      .catch(() => "broken"),
  );
  await eventually(() => provider.requests.length === 6);
  const before = await callsOf({ worker: first });
  process.kill(first.pid(), "SIGKILL");
  expect(await Promise.all(open)).toEqual(Array(5).fill("broken"));
  await first.close();

  const second = await start();
  try {
    const calls = await callsOf({ worker: second });
    expect(calls.map(({ state }) => state).toSorted()).toEqual([
      "settled",
      ...Array(5).fill("unsettled"),
    ]);
    // Not a token less than was reserved for them.
    expect(calls.map(({ n, usd, input, output }) => [n, usd, input, output])).toEqual(
      before.map(({ n, usd, input, output }) => [n, usd, input, output]),
    );
    const { today } = await spendOverviewOf({ worker: second });
    expect(today.calls).toBe(6);
    expect(today.usd).toBeCloseTo(
      before.reduce((sum, { usd }) => sum + usd, 0),
      7,
    );
    expect(today.boundUsd).toBeCloseTo(today.usd - (25 * 5e-6 + 15 * 25e-6), 7);
  } finally {
    await second.close();
  }
});

it("a runtime killed in the moment a call is sent still counts that call", async () => {
  const first = await start();
  await settleOne(first);
  provider.keepFailing({ kind: "hang" });
  const call = fetch(`${first.url}/anthropic/v1/messages`, CALL).catch(() => "broken");
  // Nobody asks the ledger before the kill: asking would have the call written.
  await eventually(() => provider.requests.length === 2);
  process.kill(first.pid(), "SIGKILL");
  await call;
  await first.close();

  const second = await start();
  try {
    const [unsettled, settled] = await callsOf({ worker: second });
    expect([unsettled?.state, settled?.state]).toEqual(["unsettled", "settled"]);
    const bound = (CALL.body.length + 2048) * 10e-6 + 1000 * 25e-6;
    expect(unsettled?.usd).toBeGreaterThanOrEqual(bound);
    expect((await spendOverviewOf({ worker: second })).today.calls).toBe(2);
  } finally {
    await second.close();
  }
});
