import { setTimeout as sleep } from "node:timers/promises";
import type { Operator } from "../operator/operator.ts";
import { isGatewayAlive, isGatewayReady } from "./health.ts";

const POLL_MS = 100;
const POLL_ANSWER_MS = 2_000;
const WATCH_MS = 30_000;
const WATCH_ANSWER_MS = 15_000;
const SILENT_POLLS = 4;

/**
 * Ready: the gateway says so, and takes the supervisor's own connection. The wait ends with either
 * signal, the connection is kept until the gateway's life is over.
 */
export async function untilReady(
  port: number,
  operator: Pick<Operator, "keep" | "connected">,
  { over, deadline }: { over: AbortSignal; deadline: AbortSignal },
): Promise<void> {
  const signal = AbortSignal.any([over, deadline]);
  while (!(await isGatewayReady(port, POLL_ANSWER_MS))) {
    await sleep(POLL_MS, undefined, { signal });
  }
  void operator.keep(over);
  await operator.connected(signal);
}

/** A gateway that is not heard of for two minutes hangs. @returns when it was last heard of; milliseconds since the epoch */
export async function untilSilent(port: number, signal: AbortSignal): Promise<number> {
  let heardAt = Date.now();
  let silent = 0;
  while (silent < SILENT_POLLS) {
    await sleep(WATCH_MS, undefined, { signal, ref: false });
    const asked = Date.now();
    const alive = await isGatewayAlive(port, WATCH_ANSWER_MS);
    silent = alive ? 0 : silent + 1;
    if (alive) heardAt = asked;
  }
  return heardAt;
}
