import { createDevice, mustConnect, type GatewayClient } from "../test/support/gateway-client.ts";
import { connectGateway } from "../test/support/gateway-client.ts";
import type { Bench } from "./bench.ts";
import type { Pair } from "./pair.ts";
import { addedRow, median, milliseconds, percentileRow } from "./statistics.ts";

const WARM_UP = 200;
const ROUNDS = 2_000;
/** Answered from memory, so that the way is measured and not the work. */
const METHOD = "system-presence";
const GOAL_MS = 1;

export const websocket: Bench = {
  name: "websocket",
  about: "a gateway call over a WebSocket through everything, against directly",
  async run({ tell, pair }) {
    const both = await pair();
    await both.bothUp();
    const through = await pairedClient(both);
    const direct = await mustConnect({
      url: both.bare.url.replace("http", "ws"),
      token: both.bare.token,
      client: { id: "gateway-client", mode: "backend" },
    });
    const times = { direct: [] as number[], through: [] as number[] };
    tell(`${ROUNDS} calls each, in turns`);
    try {
      for (let round = -WARM_UP; round < ROUNDS; round += 1) {
        const one = await timeCall(direct);
        const other = await timeCall(through);
        if (round < 0) continue;
        times.direct.push(one);
        times.through.push(other);
      }
    } finally {
      direct.close();
      through.close();
    }
    const added = median(times.through) - median(times.direct);
    return {
      how:
        `\`${METHOD}\` over a connected WebSocket, ${ROUNDS} of each in turns: through Worker, Durable ` +
        "Object and the front port's device guard, and directly.",
      table: {
        head: ["", "p50", "p95", "p99"],
        rows: [
          percentileRow("gateway directly", times.direct),
          percentileRow("through everything", times.through),
          addedRow("added", times.direct, times.through),
        ],
      },
      goals: [
        {
          what: "added at p50",
          measured: milliseconds(added),
          goal: `≤ ${GOAL_MS} ms`,
          met: added <= GOAL_MS,
        },
      ],
    };
  },
};

async function timeCall(client: GatewayClient): Promise<number> {
  const began = performance.now();
  const reply = await client.call(METHOD);
  if (!reply.ok) throw new Error(`${METHOD}: ${reply.error.message}`);
  return performance.now() - began;
}

/** Asks for pairing, is approved by the admin, connects. */
async function pairedClient({ system, cookie }: Pair): Promise<GatewayClient> {
  const session = await fetch(new URL("/_moltworker/session", system.url), {
    headers: { Cookie: cookie },
  });
  const token = /"gatewayToken"\s*:\s*"([^"]+)"/.exec(await session.text())?.[1];
  if (token === undefined) throw new Error("the session does not say what to sign with");
  const options = {
    url: `${system.url.replace("http", "ws")}/ws`,
    token,
    device: createDevice(),
    headers: { Cookie: cookie, Origin: system.url },
  };
  const asked = await connectGateway(options);
  if (asked.ok) return asked.client;
  await system.admin(`/api/devices/${options.device.id}/approve`, { body: {} });
  return mustConnect(options);
}
