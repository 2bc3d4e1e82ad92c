import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { CapSettings } from "../../src/protocol/spend-settings.ts";
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

function start(caps: CapSettings = {}): Promise<AiWorker> {
  const anthropic = { apiKey: ANTHROPIC_KEY, baseUrl: provider.url };
  return startAiWorker({ anthropic, stateDir, caps });
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

it("a runtime killed under fifty calls at once counts no less than they cost, and keeps the cap", async () => {
  // Nothing is to be lowered: each call reserves the same.
  const body = CALL.body.replace('"messages"', '"thinking":{"budget_tokens":999},"messages"');
  const bound = (body.length + 2048) * 10e-6 + 1000 * 25e-6;
  const cost = 25 * 5e-6 + 15 * 25e-6;
  const caps = { dayUsd: bound * 20.5 };
  const rounding = 1e-6;
  const fifty = (worker: AiWorker) =>
    Array.from({ length: 50 }, async () => {
      const response = await fetch(`${worker.url}/anthropic/v1/messages`, { ...CALL, body });
      await response.text();
      if (response.status === 200) answered += 1;
      return response.status;
    }).map((call) => call.catch(() => "broken"));
  let answered = 0;

  const first = await start(caps);
  const every = Array.from({ length: 25 });
  provider.fail(
    ...every.flatMap(() => [
      { kind: "stall", afterEvents: 4 } as const,
      { kind: "slow-headers", ms: 1 } as const,
    ]),
  );
  const calls = fifty(first);
  await eventually(() => provider.requests.length >= 10 && answered >= 3);
  process.kill(first.pid(), "SIGKILL");
  await Promise.all(calls);
  await first.close();
  const asked = provider.requests.length;
  const sumOf = async (worker: AiWorker) => (await spendOverviewOf({ worker })).today.usd;

  const whole = provider.requests.filter(({ cancelled }) => !cancelled).length;
  await provider.close();
  provider = await startAnthropic();
  const second = await start(caps);
  try {
    const rows = await callsOf({ worker: second });
    const open = rows.filter(({ state }) => state === "unsettled");
    const settled = rows.filter(({ state }) => state === "settled");
    expect(open.length + settled.length).toBe(rows.length);
    expect(rows.length).toBeGreaterThanOrEqual(asked);
    // Only what the provider has sent whole is counted as less than was reserved for it.
    expect(settled.length).toBeLessThanOrEqual(whole);
    for (const { usd } of settled) expect(usd).toBeCloseTo(cost, 8);
    const sum = await sumOf(second);
    const least = settled.length * cost + (asked - settled.length) * bound;
    expect(sum).toBeGreaterThanOrEqual(least - rounding);
    const reserved = open.reduce((all, { usd }) => all + usd, 0);
    expect(sum).toBeLessThanOrEqual(asked * cost + reserved + rounding);
    expect(sum).toBeLessThanOrEqual(caps.dayUsd + rounding);

    await Promise.all(fifty(second));
    await eventually(async () =>
      (await callsOf({ worker: second })).every(({ state }) => state !== "open"),
    );
    expect(await sumOf(second)).toBeLessThanOrEqual(caps.dayUsd + rounding);
  } finally {
    await second.close();
  }
});
