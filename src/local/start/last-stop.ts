/** The stop at the end of `npm start`, with as much time as the agent itself has for it. */
import { BUDGET } from "../../worker/agent/budget.ts";
import type { Operator } from "./operator-client.ts";
import type { Report } from "./report.ts";

/** Turns under way, the last backup, and a sandbox that is slow to go. */
const STOP_MS = BUDGET.drain + BUDGET.finalBackup + BUDGET.control + 2 * BUDGET.destroy;
const SAY_EVERY_MS = 10_000;

/** What is cut short here is lost to the backups, so whoever waits is told for what. */
export async function stopAgent(operator: Pick<Operator, "call">, report: Report): Promise<void> {
  const began = Date.now();
  const saying = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1000);
    const text = `the agent ends its work and makes its last backup (${seconds} s so far); Ctrl-C again ends at once`;
    report({ event: "note", text });
  }, SAY_EVERY_MS);
  try {
    const stopped = await operator.call("stop", STOP_MS);
    if (!stopped.ok) report({ event: "note", text: `the agent was cut short: ${stopped.reason}` });
  } finally {
    clearInterval(saying);
  }
}
