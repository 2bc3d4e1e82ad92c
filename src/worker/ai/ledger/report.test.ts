import { expect, test } from "vitest";
import { sqlite } from "../../../../test/support/sqlite.ts";
import { daysCsv } from "../csv.ts";
import { LedgerReport } from "./report.ts";
import { migrateLedger } from "./schema.ts";

/** More than a page, from long before this month. */
const DAYS = Array.from({ length: 400 }, (_, n) =>
  new Date(Date.UTC(2024, 0, 1 + n)).toISOString().slice(0, 10),
);

test("the sums of all days are exported, each once, oldest first", async () => {
  const sql = sqlite();
  migrateLedger(sql);
  for (const [n, day] of DAYS.entries()) {
    for (const channel of ["", "telegram"]) {
      for (const agent of ["main", "other"]) {
        sql.exec(
          `INSERT INTO spend_days (agent_id, day, provider, model, channel, calls, failed, cached,
             tokens, nano, unknown_nano, bound_nano) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          ...[agent, day, "anthropic", "=m", channel, n, 1, 2, 30, 4_000_000_000, 0, 1_000_000_000],
        );
      }
    }
  }
  const report = new LedgerReport(sql, "main");
  const text = await new Response(daysCsv(async (query) => report.days(query))).text();
  const [head, ...lines] = text.trimEnd().split("\r\n");
  expect(head).toBe(
    "day,provider,model,channel,calls,failed,cached,tokens,usd,unknownPriceUsd,boundUsd",
  );
  expect(lines).toEqual(
    DAYS.flatMap((day, n) =>
      ["", "telegram"].map((channel) => `${day},anthropic,'=m,${channel},${n},1,2,30,4,0,1`),
    ),
  );
});
