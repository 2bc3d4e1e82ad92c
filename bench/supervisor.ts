import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { openClient } from "./http-client.ts";
import { findBelow, ownCpuSeconds } from "./processes.ts";
import { megabytes } from "./statistics.ts";

const REQUESTS = 2_000;
const IDLE_MS = 60_000;
const GOAL_BYTES = 80e6;

export const supervisor: Bench = {
  name: "supervisor",
  about: "memory and idle processor time of the supervisor",
  minutes: 2,
  async run({ tell, pair }) {
    const { system, cookie, bothUp, ready } = await pair();
    await bothUp();
    const client = openClient(system.url, { Cookie: cookie });
    tell(`${REQUESTS} requests first`);
    for (let count = 0; count < REQUESTS; count += 1) await client.time("/readyz");
    client.close();
    tell(`then ${IDLE_MS / 1000} s without any`);
    const pid = findBelow(system.process.pid ?? 0, (command) =>
      /^\S*node \S*supervisor\.mjs\s*$/.test(command),
    );
    if (pid === undefined) throw new Error("the supervisor's process was not found");
    const before = ownCpuSeconds(pid);
    await sleep(IDLE_MS);
    const used = ownCpuSeconds(pid) - before;
    const { memory } = (await ready()).supervisor;
    return {
      how: `After ${REQUESTS} requests; resident memory as the supervisor reports it, processor time over ${IDLE_MS / 1000} s without requests.`,
      table: {
        head: ["", "measured"],
        rows: [
          ["supervisor, resident", megabytes(memory.supervisor)],
          ["gateway, resident", memory.gateway === undefined ? "" : megabytes(memory.gateway)],
          ["supervisor, idle", `${((used / (IDLE_MS / 1000)) * 100).toFixed(2)} % of a core`],
        ],
      },
      goals: [
        {
          what: "supervisor, resident",
          measured: megabytes(memory.supervisor),
          goal: `≤ ${megabytes(GOAL_BYTES)}`,
          met: memory.supervisor <= GOAL_BYTES,
        },
      ],
    };
  },
};
