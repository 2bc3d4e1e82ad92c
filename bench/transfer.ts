import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../src/local/free-port.ts";
import { makeStateDir, removeStateDir, startSystem } from "../test/support/running-system.ts";
import type { Bench } from "./bench.ts";
import { sessionCookie } from "./pair.ts";
import { median } from "./statistics.ts";

const BYTES = 100_000_000;
const ROUNDS = 7;
const GOAL_MB = 100;
const READY_MS = 60_000;
const CHUNK = Buffer.alloc(256 * 1024, "x");

export const transfer: Bench = {
  name: "transfer",
  about: "100 MB down and up through everything, to a program in the gateway's place",
  async run({ tell }) {
    const program = path.join(import.meta.dirname, "stand-in", "start.ts");
    const port = await freePort();
    const direct = spawn(
      process.execPath,
      [
        path.join(import.meta.dirname, "stand-in", "gateway.mjs"),
        "gateway",
        "--port",
        String(port),
      ],
      { stdio: "ignore" },
    );
    const stateDir = await makeStateDir();
    const system = await startSystem({ stateDir, program });
    const rates: Record<Way, Record<Direction, number[]>> = {
      directly: { down: [], up: [] },
      through: { down: [], up: [] },
    };
    try {
      await system.reach("ready", READY_MS);
      const places = {
        directly: { origin: `http://127.0.0.1:${port}`, cookie: "" },
        through: { origin: system.url, cookie: await sessionCookie(system) },
      };
      for (let round = 0; round <= ROUNDS; round += 1) {
        for (const way of WAYS) {
          for (const direction of DIRECTIONS) {
            const rate = await move(places[way], direction);
            if (round > 0) rates[way][direction].push(rate);
            // The collectors of all processes get to rest between two measurements.
            await sleep(200);
          }
        }
        if (round > 0) tell(`round ${round} of ${ROUNDS}`);
      }
    } finally {
      await system.stop();
      await removeStateDir(stateDir);
      direct.kill("SIGTERM");
    }
    const shown = (rate: number) => `${rate.toFixed(0)} MB/s`;
    return {
      how:
        `${BYTES / 1e6} MB at a time over one connection, ${ROUNDS} rounds in turns, to a program that ` +
        "only moves bytes: client → Worker → Durable Object → front port → program, and client → program.",
      table: {
        head: ["", "p50", "least", "most"],
        rows: DIRECTIONS.flatMap((direction) =>
          WAYS.map((way) => {
            const all = rates[way][direction];
            const [p50, least, most] = [median(all), Math.min(...all), Math.max(...all)];
            return [`${direction}, ${way}`, shown(p50), shown(least), shown(most)];
          }),
        ),
      },
      goals: DIRECTIONS.map((direction) => {
        const rate = median(rates.through[direction]);
        return {
          what: `${direction} at p50`,
          measured: shown(rate),
          goal: `≥ ${GOAL_MB} MB/s`,
          met: rate >= GOAL_MB,
        };
      }),
    };
  },
};

const WAYS = ["directly", "through"] as const;
type Way = (typeof WAYS)[number];
const DIRECTIONS = ["down", "up"] as const;
type Direction = (typeof DIRECTIONS)[number];

interface Place {
  origin: string;
  cookie: string;
}

/** Megabytes a second. */
async function move({ origin, cookie }: Place, direction: Direction): Promise<number> {
  const began = performance.now();
  const headers = { Cookie: cookie, Origin: origin };
  const request =
    direction === "down"
      ? http.get(`${origin}/bytes?n=${BYTES}`, { headers, agent: false })
      : http.request(`${origin}/sink`, {
          method: "POST",
          headers: { ...headers, "Content-Length": BYTES },
          agent: false,
        });
  if (direction === "up") void send(request);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let count = 0;
  response.on("data", (chunk: Buffer) => (count += chunk.length));
  await once(response, "end");
  if (response.statusCode !== 200 || (direction === "down" && count !== BYTES)) {
    throw new Error(`${direction}: ${response.statusCode}, ${count} bytes`);
  }
  return BYTES / 1e6 / ((performance.now() - began) / 1000);
}

async function send(request: http.ClientRequest): Promise<void> {
  for (let left = BYTES; left > 0;) {
    const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
    left -= chunk.length;
    if (!request.write(chunk)) await once(request, "drain");
  }
  request.end();
}
