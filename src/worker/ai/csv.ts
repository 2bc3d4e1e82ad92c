/** The ledger as CSV (RFC 4180), page by page: the calls, newest first, and the sums of days, oldest first. */
import type { DaysQuery, SpendCall, SpendDay } from "../../protocol/spend.ts";

const PAGE = 500;
const CALL_COLUMNS = [
  "n",
  "time",
  "requestId",
  "attempt",
  "channel",
  "provider",
  "model",
  "wire",
  "route",
  "state",
  "status",
  "reason",
  "stream",
  "cached",
  "input",
  "output",
  "cacheRead",
  "cacheWrite",
  "reasoning",
  "usd",
  "priceKnown",
  "firstByteMs",
  "totalMs",
  "providerRequestId",
] as const;
const DAY_COLUMNS = [
  "day",
  "provider",
  "model",
  "channel",
  "calls",
  "failed",
  "cached",
  "tokens",
  "usd",
  "unknownPriceUsd",
  "boundUsd",
] as const;

type Cell = string | number | boolean | undefined;

export function callsCsv(
  page: (before: number | undefined, limit: number) => Promise<SpendCall[]>,
): ReadableStream<Uint8Array> {
  return csv({
    head: CALL_COLUMNS,
    page: (last: SpendCall | undefined) => page(last?.n, PAGE),
    cells: (call) => {
      const time = new Date(call.at).toISOString();
      return CALL_COLUMNS.map((name) => (name === "time" ? time : call[name]));
    },
  });
}

export function daysCsv(
  page: (query: DaysQuery) => Promise<SpendDay[]>,
): ReadableStream<Uint8Array> {
  return csv({
    head: DAY_COLUMNS,
    page: (last: SpendDay | undefined) =>
      page({ limit: PAGE, ...(last === undefined ? {} : { after: last }) }),
    cells: (day) => DAY_COLUMNS.map((name) => day[name]),
  });
}

interface Table<Row> {
  head: readonly string[];
  /** What follows that row; fewer than a page is the end. */
  page(last: Row | undefined): Promise<Row[]>;
  cells(row: Row): Cell[];
}

function csv<Row>({ head, page, cells }: Table<Row>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const line = (all: readonly Cell[]) => `${all.map(cell).join(",")}\r\n`;
  let last: Row | undefined;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode(line(head)));
    },
    async pull(controller) {
      const rows = await page(last);
      last = rows.at(-1);
      if (rows.length > 0) {
        controller.enqueue(encoder.encode(rows.map((row) => line(cells(row))).join("")));
      }
      if (rows.length < PAGE) controller.close();
    },
  });
}

/** What a spreadsheet would take for a formula is made plain text; models are named by the agent. */
function cell(value: Cell): string {
  if (typeof value === "number") return String(value);
  const text = String(value ?? "").replace(/^(?=[=+@\t\r-])/, "'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
