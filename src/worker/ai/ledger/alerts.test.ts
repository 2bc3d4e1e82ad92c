import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { sqlite } from "../../../../test/support/sqlite.ts";
import type { CapMeter } from "../../../protocol/spend.ts";
import type { Sql } from "../../agent/store/schema.ts";
import { Alerts, type AlertParts } from "./alerts.ts";
import { migrateLedger } from "./schema.ts";

const NOON = Date.UTC(2026, 5, 1, 12);
const DAY = { period: "day", unit: "usd" } as const;
const meter = (spent: number, reserved = 0, cap = 10): CapMeter[] => [
  { ...DAY, cap, raised: 0, spent, reserved },
];
const message = z.looseObject({ text: z.string() });

let sql: Sql;
let posted: z.infer<typeof message>[];
beforeEach(() => {
  sql = sqlite();
  migrateLedger(sql);
  posted = [];
});

function alertsWith(more: Partial<AlertParts> = {}): Alerts {
  return new Alerts({
    sql,
    agentId: "main",
    webhookUrl: () => "https://hooks.example/x",
    fetch: async (_url, init) => {
      posted.push(message.parse(JSON.parse(String(init?.body))));
      return new Response();
    },
    ...more,
  });
}

async function note(alerts: Alerts, meters: CapMeter[], refused?: typeof DAY): Promise<void> {
  if (alerts.note(meters, NOON, refused)) await alerts.deliver(meters);
}

const percents = () => posted.map(({ percent, event }) => percent ?? event);

describe("a refused call", () => {
  test("is told as one, once, and no percentage is told that was not reached", async () => {
    const alerts = alertsWith();
    for (let n = 0; n < 50; n += 1) {
      await note(alerts, meter(1, 9), DAY);
      await note(alerts, meter(1.1, 8.9));
    }
    expect(percents()).toEqual(["refused"]);
    expect(posted[0]?.text).toContain("refused");
    expect(posted[0]?.text).toContain("$10.00 for today: $1.00 are used, $9.00 are kept");
    expect(alerts.shown()).toMatchObject([{ period: "day", unit: "usd", delivered: true }]);
    expect(alerts.shown()[0]).not.toHaveProperty("percent");
    await note(alerts, meter(10.1));
    expect(percents()).toEqual(["refused", 50, 80, 100]);
  });

  test("says nothing more once the cap is used up", async () => {
    const alerts = alertsWith();
    await note(alerts, meter(10));
    await note(alerts, meter(10), DAY);
    expect(percents()).toEqual([50, 80, 100]);
  });

  test("is told again only under a raised cap", async () => {
    const alerts = alertsWith();
    await note(alerts, meter(1), DAY);
    await note(alerts, meter(1, 0, 5), DAY);
    expect(percents()).toEqual(["refused"]);
    await note(alerts, meter(1, 0, 8), DAY);
    expect(percents()).toEqual(["refused", "refused"]);
  });
});

test("a percentage is told again under a raised cap alone, not when a sum is corrected", async () => {
  const alerts = alertsWith();
  await note(alerts, meter(5.1));
  await note(alerts, meter(4.9));
  await note(alerts, meter(5.1));
  expect(percents()).toEqual([50]);
  await note(alerts, meter(5.1, 0, 20));
  await note(alerts, meter(10.1, 0, 20));
  expect(percents()).toEqual([50, 50]);
});

describe("who took an alert", () => {
  test.each<[string, Partial<AlertParts>, string[]]>([
    ["the webhook", { tellOwner: async () => false }, ["webhook"]],
    ["the owner", { tellOwner: async () => true, webhookUrl: () => null }, ["owner"]],
    ["both", { tellOwner: async () => true }, ["webhook", "owner"]],
    ["nobody", { webhookUrl: () => null, tellOwner: async () => false }, []],
  ])("is kept: %s", async (_name, parts, told) => {
    const alerts = alertsWith(parts);
    await note(alerts, meter(5));
    expect(alerts.shown()).toMatchObject([{ percent: 50, delivered: told.length > 0, told }]);
  });

  test("of an older release is not known", () => {
    sql.exec(
      `INSERT INTO spend_alerts (agent_id, period, unit, percent, at, delivered, tries)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      "main",
      "day 2026-06-01",
      "usd",
      50,
      NOON,
      1,
      1,
    );
    const [shown] = alertsWith().shown();
    expect(shown).toMatchObject({ percent: 50, delivered: true });
    expect(shown).not.toHaveProperty("told");
  });
});

test("what comes up while one is delivered is delivered with it", async () => {
  const alerts = alertsWith({
    fetch: async (_url, init) => {
      posted.push(message.parse(JSON.parse(String(init?.body))));
      if (posted.length === 1) alerts.note(meter(8), NOON);
      return new Response();
    },
  });
  await note(alerts, meter(5));
  expect(percents()).toEqual([50, 80]);
});
