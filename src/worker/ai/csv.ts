/** The ledger as CSV (RFC 4180), newest call first, page by page. */
import type { SpendCall } from "../../protocol/spend.ts";

const PAGE = 500;
const COLUMNS = [
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

export function callsCsv(
  page: (before: number | undefined, limit: number) => Promise<SpendCall[]>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let before: number | undefined;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode(`${COLUMNS.join(",")}\r\n`));
    },
    async pull(controller) {
      const calls = await page(before, PAGE);
      before = calls.at(-1)?.n;
      if (calls.length > 0) controller.enqueue(encoder.encode(calls.map(line).join("")));
      if (calls.length < PAGE) controller.close();
    },
  });
}

function line(call: SpendCall): string {
  const time = new Date(call.at).toISOString();
  return `${COLUMNS.map((name) => cell(name === "time" ? time : call[name])).join(",")}\r\n`;
}

/** What a spreadsheet would take for a formula is made plain text; models are named by the agent. */
function cell(value: string | number | boolean | undefined): string {
  if (typeof value === "number") return String(value);
  const text = String(value ?? "").replace(/^(?=[=+@\t\r-])/, "'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
