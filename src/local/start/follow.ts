/** Tells each change of the agent's phase, for as long as this runs. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Operator, OperatorStatus } from "./operator-client.ts";
import type { Report } from "./report.ts";

const WHILE_STARTING_MS = 300;
const WHILE_QUIET_MS = 2000;

export async function followAgent(
  operator: Operator,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  let last = "";
  while (!signal.aborted) {
    // Unanswered while the runtime is restarting: the next round asks again.
    const status = await operator.status().catch(() => undefined);
    if (status !== undefined) {
      const text = phaseText(status, Date.now());
      const key = `${status.startGeneration} ${status.phase} ${status.lastError ?? ""}`;
      if (key !== last && !signal.aborted) {
        last = key;
        report({
          event: "phase",
          phase: status.phase,
          text,
          startGeneration: status.startGeneration,
        });
      }
    }
    const quiet = status?.phase === "ready" || status?.phase === "stopped";
    await sleep(quiet ? WHILE_QUIET_MS : WHILE_STARTING_MS, undefined, { signal }).catch(() => {});
  }
}

export function phaseText(status: OperatorStatus, now: number): string {
  switch (status.phase) {
    case "starting":
      return `starting the sandbox (start ${status.startGeneration})`;
    case "restoring":
      return "restoring the agent's state";
    case "booting":
      return "booting the gateway (about 10 s, less when it ran before)";
    case "ready":
      return `ready${took(status)}`;
    case "draining":
      return "finishing work before the stop";
    case "stopped":
      return "the agent is stopped; a request starts it";
    case "failed": {
      const retry =
        status.retryAt === undefined
          ? ""
          : `; tried again in ${Math.max(0, Math.ceil((status.retryAt - now) / 1000))} s`;
      return `the start failed: ${status.lastError ?? "no reason given"}${retry}`;
    }
  }
}

function took(status: OperatorStatus): string {
  if (status.timings.length === 0) return "";
  const total = status.timings.reduce((sum, timing) => sum + timing.ms, 0);
  const parts = status.timings.map(({ phase, ms }) => `${phase} ${seconds(ms)}`);
  return ` after ${seconds(total)} (${parts.join(", ")})`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
