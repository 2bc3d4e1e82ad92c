import { z } from "zod";
import { connectGateway, createDevice } from "../test/support/gateway-client.ts";
import type { Bench } from "./bench.ts";
import type { Pair } from "./pair.ts";
import { milliseconds, percentile, percentileRow } from "./statistics.ts";

const WARM_UP = 20;
const LISTS = 300;
const APPROVALS = 60;
const GOAL_MS = 300;

const session = z.object({ gatewayToken: z.string() });

export const devices: Bench = {
  name: "devices",
  about: "the list of devices and approvals in the admin API",
  async run({ tell, pair }) {
    const opened = await pair();
    await opened.bothUp();
    tell(`${LISTS} lists`);
    const lists = await timed(LISTS, () => opened.system.devices());
    tell(`${APPROVALS} approvals`);
    const approvals = await approvalTimes(opened);
    const goal = (what: string, times: number[]) => {
      const p95 = percentile(times, 0.95);
      const measured = milliseconds(p95);
      return { what, measured, goal: `< ${GOAL_MS} ms`, met: p95 < GOAL_MS };
    };
    return {
      how:
        `\`GET /api/devices\`, ${LISTS} times, and \`POST /api/devices/…/approve\` for ${APPROVALS} devices that ` +
        "ask: Worker → Durable Object → supervisor → its operator connection to the gateway.",
      table: {
        head: ["", "p50", "p95", "p99"],
        rows: [percentileRow("device list", lists), percentileRow("approval", approvals)],
      },
      goals: [goal("device list, p95", lists), goal("approval, p95", approvals)],
    };
  },
};

async function timed(rounds: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const began = performance.now();
    await work();
    if (round >= 0) times.push(performance.now() - began);
  }
  return times;
}

/** Each device asks over a real socket and is refused; only its approval is timed. */
async function approvalTimes({ system, cookie }: Pair): Promise<number[]> {
  const headers = { Cookie: cookie, Origin: system.url };
  const reply = await fetch(new URL("/_moltworker/session", system.url), { headers });
  const { gatewayToken: token } = session.parse(await reply.json());
  const url = `${system.url.replace("http", "ws")}/ws`;
  const times: number[] = [];
  for (let round = -1; round < APPROVALS; round += 1) {
    const device = createDevice();
    await connectGateway({ url, token, device, headers });
    const began = performance.now();
    await system.admin(`/api/devices/${device.id}/approve`, { body: {} });
    if (round >= 0) times.push(performance.now() - began);
    // The gateway keeps few requests and devices at a time.
    await system.admin(`/api/devices/${device.id}`, { method: "DELETE" });
  }
  return times;
}
