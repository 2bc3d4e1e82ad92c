import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sqlite } from "../../../../test/support/sqlite.ts";
import type { CapSettings } from "../../../protocol/spend-settings.ts";
import type { Sql } from "../../agent/store/schema.ts";
import { NANO } from "../price.ts";
import type { CallStart } from "./calls.ts";
import { Ledger } from "./ledger.ts";
import { migrateLedger } from "./schema.ts";
import { SettingsStore } from "./settings.ts";

const MODEL = { provider: "anthropic", model: "claude-opus-5" } as const;
/** Dollars of a million tokens; the input's is what the bound takes. */
const PRICE = { model: "anthropic/claude-opus-5", input: 5, output: 25 };

function ledgerOver(sql: Sql, caps: CapSettings = {}): Ledger {
  const settings = new SettingsStore(sql, "main", { caps, prices: [PRICE] });
  return new Ledger({
    sql,
    agentId: "main",
    settings: () => settings.spend,
    raised: (day) => settings.raised(day),
    source: () => ({ providerId: "anthropic" }),
    route: () => "direct",
    now: Date.now,
  });
}

function callOf(inputBytes: number, outputAsked: number): CallStart {
  return {
    requestId: "request",
    asked: MODEL,
    wire: "messages",
    stream: true,
    inputBytes,
    remote: false,
    outputAsked,
    choices: 1,
    // Never lowered: what is sent is what was asked for.
    leastOutput: outputAsked,
    cacheKey: "",
  };
}

const costOf = (input: number, output: number) =>
  (input * PRICE.input + output * PRICE.output) * 1000;

function reserve(ledger: Ledger, inputBytes: number, outputAsked: number): number | undefined {
  const reserved = ledger.reserve(callOf(inputBytes, outputAsked), MODEL, 1, Date.now());
  return reserved.ok ? reserved.n : undefined;
}

function settle(ledger: Ledger, n: number, input: number, output: number): void {
  const usage = {
    usage: { input_tokens: input, output_tokens: output },
    final: true,
    failed: false,
    ...{ mode: {}, feesUsd: 0 },
  };
  ledger.settle({ n, state: "settled", status: 200, totalMs: 1, usage });
}

interface Rows {
  calls: { n: number; state: string; nano: number }[];
  ahead: { nano: number }[];
}

function rowsOf(sql: Sql): Rows {
  return {
    calls: sql
      .exec<Rows["calls"][number]>("SELECT n, state, nano FROM spend_calls ORDER BY n")
      .toArray(),
    ahead: sql.exec<Rows["ahead"][number]>("SELECT nano FROM spend_ahead").toArray(),
  };
}

let sql: Sql;
beforeEach(() => {
  // Not close to midnight.
  vi.useFakeTimers({ now: Date.UTC(2026, 5, 1, 12) });
  sql = sqlite();
  migrateLedger(sql);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a reservation ahead", () => {
  it("comes with the end of a call, and the next one of its kind writes nothing before it is sent", () => {
    const ledger = ledgerOver(sql);
    const first = reserve(ledger, 4000, 100);
    expect(rowsOf(sql)).toMatchObject({ calls: [{ n: first, state: "open" }], ahead: [] });
    settle(ledger, first ?? 0, 1000, 50);
    const between = rowsOf(sql);
    expect(between.ahead).toHaveLength(1);
    const second = reserve(ledger, 5000, 100);
    expect(rowsOf(sql)).toEqual(between);
    settle(ledger, second ?? 0, 1200, 60);
    expect(rowsOf(sql).calls).toMatchObject([
      { n: first, state: "settled", nano: costOf(1000, 50) },
      { n: second, state: "settled", nano: costOf(1200, 60) },
    ]);
  });

  it.each([
    ["larger than it", { ...callOf(40_000, 100) }, MODEL],
    ["with more to write", { ...callOf(4000, 101) }, MODEL],
    ["of another model", callOf(4000, 100), { ...MODEL, model: "claude-haiku-4-5" }],
    ["of another format", { ...callOf(4000, 100), wire: "chat" } as const, MODEL],
  ])("is not for a call %s", (_name, call, candidate) => {
    const ledger = ledgerOver(sql);
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    expect(ledger.reserve(call, candidate, 1, Date.now())).toMatchObject({ ok: true });
    expect(rowsOf(sql).calls.at(-1)).toMatchObject({ state: "open" });
  });

  it("is for one call at a time", () => {
    const ledger = ledgerOver(sql);
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    reserve(ledger, 4000, 100);
    const third = reserve(ledger, 4000, 100);
    expect(rowsOf(sql).calls.at(-1)).toMatchObject({ n: third, state: "open" });
  });

  it("of yesterday is not for a call of today", () => {
    vi.setSystemTime(Date.UTC(2026, 5, 1, 23, 59, 59));
    const ledger = ledgerOver(sql);
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    vi.setSystemTime(Date.UTC(2026, 5, 2));
    reserve(ledger, 4000, 100);
    expect(rowsOf(sql).calls.map(({ state }) => state)).toEqual(["settled", "open"]);
  });

  it("becomes a row of the call that takes long, and is over", () => {
    const ledger = ledgerOver(sql);
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    const second = reserve(ledger, 5000, 100);
    vi.advanceTimersByTime(1000);
    expect(rowsOf(sql)).toMatchObject({
      calls: [{}, { n: second, state: "open", nano: costOf(5000, 100) }],
      ahead: [],
    });
  });

  it("goes when no call comes, so that a later crash costs nothing", () => {
    const ledger = ledgerOver(sql);
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    vi.advanceTimersByTime(20_000);
    expect(rowsOf(sql).ahead).toEqual([]);
    ledgerOver(sql);
    expect(rowsOf(sql).calls).toHaveLength(1);
  });

  it("is counted in full by the next runtime, used or not", () => {
    const ledger = ledgerOver(sql);
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    const [ahead] = rowsOf(sql).ahead;
    const second = reserve(ledger, 4000, 100);
    vi.clearAllTimers();
    const later = ledgerOver(sql);
    expect(rowsOf(sql)).toMatchObject({
      calls: [{}, { n: second, state: "unsettled", nano: ahead?.nano }],
      ahead: [],
    });
    // The Worker outlived the Durable Object, and tells the end of its call after all.
    settle(later, second ?? 0, 700, 7);
    expect(rowsOf(sql).calls.at(-1)).toMatchObject({ state: "settled", nano: costOf(700, 7) });
  });

  it("is not made where it would take more than a tenth of what is left", () => {
    const ledger = ledgerOver(sql, { dayUsd: (10 * costOf(4000, 100)) / NANO });
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    expect(rowsOf(sql).ahead).toEqual([]);
  });

  it("is left alone where the cap has been lowered below it", () => {
    const caps = { dayUsd: 1 };
    const ledger = ledgerOver(sql, caps);
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    const [ahead] = rowsOf(sql).ahead;
    caps.dayUsd = (costOf(1000, 50) + (ahead?.nano ?? 0) - 1) / NANO;
    reserve(ledger, 4000, 100);
    expect(rowsOf(sql)).toMatchObject({ calls: [{}, { state: "open" }], ahead: [] });
  });

  it("does not count as used, and gives way to calls that need its place", () => {
    const cap = 1;
    const ledger = ledgerOver(sql, { dayUsd: cap });
    settle(ledger, reserve(ledger, 4000, 100) ?? 0, 1000, 50);
    expect(rowsOf(sql).ahead).toHaveLength(1);
    expect(ledger.meters(Date.now())).toMatchObject([{ reserved: 0 }]);
    const left = cap * NANO - costOf(1000, 50);
    const output = Math.floor((left - costOf(50_000, 0)) / costOf(0, 1));
    expect(reserve(ledger, 50_000, output)).toBeDefined();
    expect(rowsOf(sql).ahead).toEqual([]);
  });
});

type Step =
  | { do: "reserve"; input: number; output: number }
  | { do: "settle"; which: number; share: number }
  | { do: "wait"; ms: number }
  | { do: "crash" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("reserve" as const),
    input: fc.integer({ min: 1, max: 20_000 }),
    output: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({
    do: fc.constant("settle" as const),
    which: fc.nat(5),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 12_000 }) }),
  fc.record({ do: fc.constant("crash" as const) }),
);

describe("whatever happens", () => {
  it("no call that was let through is missing after a crash, and the cap is never passed", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.double({ min: 0.05, max: 5, noNaN: true }),
        (steps, cap) => {
          vi.clearAllTimers();
          const store = sqlite();
          migrateLedger(store);
          let ledger = ledgerOver(store, { dayUsd: cap });
          let open: { n: number; input: number; output: number }[] = [];
          /** What the provider was asked for, at the most it can come to. */
          let asked = 0;
          /** What crashes have counted beyond that. */
          let over = 0;
          const counted = () => {
            const [meter] = ledger.meters(Date.now());
            return Math.round(((meter?.spent ?? 0) + (meter?.reserved ?? 0)) * NANO);
          };
          for (const one of steps) {
            if (one.do === "reserve") {
              const n = reserve(ledger, one.input, one.output);
              if (n === undefined) continue;
              open.push({ n, input: one.input, output: one.output });
              asked += costOf(one.input, one.output);
            } else if (one.do === "settle") {
              const [call] = open.splice(one.which % Math.max(1, open.length), 1);
              if (call === undefined) continue;
              const [input, output] = [call.input, call.output].map((most) =>
                Math.floor(most * one.share),
              );
              settle(ledger, call.n, input ?? 0, output ?? 0);
              asked += costOf(input ?? 0, output ?? 0) - costOf(call.input, call.output);
            } else if (one.do === "wait") vi.advanceTimersByTime(one.ms);
            else {
              const [ahead] = rowsOf(store).ahead;
              vi.clearAllTimers();
              ledger = ledgerOver(store, { dayUsd: cap });
              open = [];
              over += ahead?.nano ?? 0;
            }
            expect(counted()).toBeGreaterThanOrEqual(asked);
            expect(counted()).toBeLessThanOrEqual(
              Math.min(cap * NANO + 1, asked + over + aheadOf(store)),
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function aheadOf(store: Sql): number {
  return rowsOf(store).ahead[0]?.nano ?? 0;
}
