import { readdir } from "node:fs/promises";
import path from "node:path";
import { PROJECT_ROOT, buildPaths } from "../src/build/paths.ts";
import type { Bench } from "./bench.ts";
import { openClient } from "./http-client.ts";
import { addedRow, milliseconds, percentileRow, percentiles } from "./statistics.ts";

const WARM_UP = 200;
const ROUNDS = 2_000;
/** A small answer of the gateway's own, which the Worker passes on like any other. */
const PROXIED = "/readyz";
const GOAL = { p50: 2, p99: 10 };

export const warmRequest: Bench = {
  name: "warm-request",
  about: "a small request through everything, against the gateway directly",
  async run({ tell, pair }) {
    const { system, bare, cookie, bothUp } = await pair();
    await bothUp();
    const file = `/assets/${await smallAsset()}`;
    const direct = openClient(bare.url);
    const agent = openClient(system.url, { Cookie: cookie });
    const times = { direct: [] as number[], through: [] as number[], file: [] as number[] };
    tell(`${ROUNDS} requests each, in turns`);
    try {
      for (let round = -WARM_UP; round < ROUNDS; round += 1) {
        const one = await direct.time(PROXIED);
        const other = await agent.time(PROXIED);
        const third = await agent.time(file);
        if (round < 0) continue;
        times.direct.push(one);
        times.through.push(other);
        times.file.push(third);
      }
    } finally {
      direct.close();
      agent.close();
    }
    const [from, to] = [percentiles(times.direct), percentiles(times.through)];
    return {
      how:
        `\`GET ${PROXIED}\` with a session cookie on a kept-alive connection, ${ROUNDS} of each in ` +
        "turns: client → Worker → Durable Object → front port → gateway, and client → gateway; and a " +
        "small file of the Control UI, which the Worker serves from its own assets.",
      table: {
        head: ["", "p50", "p95", "p99"],
        rows: [
          percentileRow("gateway directly", times.direct),
          percentileRow("through everything", times.through),
          addedRow("added", times.direct, times.through),
          percentileRow("Control UI file", times.file),
        ],
      },
      goals: (["p50", "p99"] as const).map((key) => ({
        what: `added at ${key}`,
        measured: milliseconds(to[key] - from[key]),
        goal: `≤ ${GOAL[key]} ms`,
        met: to[key] - from[key] <= GOAL[key],
      })),
    };
  },
};

async function smallAsset(): Promise<string> {
  const names = await readdir(path.join(buildPaths(PROJECT_ROOT).controlUi, "assets"));
  const name = names.toSorted().find((one) => one.endsWith(".js"));
  if (name === undefined) throw new Error("the Control UI has no assets");
  return name;
}
