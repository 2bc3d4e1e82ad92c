import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BUDGET } from "../../worker/agent/budget.ts";
import { stopAgent } from "./last-stop.ts";
import type { StartEvent } from "./report.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("waits for as long as the agent may take for its last backup, and says for what", async () => {
  const told: StartEvent[] = [];
  let waits = 0;
  const stopping = stopAgent(
    {
      async call(_name, deadlineMs) {
        waits = deadlineMs;
        await new Promise((resolve) => setTimeout(resolve, 25_000));
        return { ok: true };
      },
    },
    (event) => told.push(event),
  );
  await vi.advanceTimersByTimeAsync(25_000);
  await stopping;
  expect(waits).toBeGreaterThan(BUDGET.drain + BUDGET.finalBackup);
  expect(told.map((event) => ("text" in event ? event.text : ""))).toEqual([
    expect.stringContaining("last backup (10 s so far); Ctrl-C again"),
    expect.stringContaining("last backup (20 s so far); Ctrl-C again"),
  ]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toHaveLength(2);
});

test("says why the agent was cut short", async () => {
  const told: StartEvent[] = [];
  const call = async () => ({ ok: false as const, reason: "no answer" });
  await stopAgent({ call }, (event) => told.push(event));
  expect(told).toEqual([{ event: "note", text: "the agent was cut short: no answer" }]);
});
