import { startAnthropic } from "../test/emulators/anthropic.ts";
import { startAiRig } from "../test/support/ai-rig.ts";
import { startAiWorker } from "../test/support/ai-worker.ts";
import type { Bench, Goal } from "./bench.ts";
import { openDurableFile } from "./durable-write.ts";
import { startRelay } from "./relay.ts";
import { delays, startTimedStream } from "./stand-in/timed-stream.ts";
import { addedRow, milliseconds, percentileRow, percentiles } from "./statistics.ts";

const WARM_UP = 50;
const ROUNDS = 1000;
const CHUNKS = 400;
const CHUNK_PACE_MS = 5;
const CHUNK_STREAMS = 3;
const GOAL = { p50: 3, p99: 10 };
export const CALL = {
  method: "POST",
  headers: {
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "x-api-key": "bench",
  },
  // The size of the agent's first turn.
  body: JSON.stringify({
    model: "claude-opus-5",
    max_tokens: 100,
    stream: true,
    messages: [{ role: "user", content: "x".repeat(60_000) }],
  }),
};

interface Sample {
  first: number;
  whole: number;
}

export const ai: Bench = {
  name: "ai",
  about: "a streamed model call through the Worker, against the provider directly",
  async run({ tell }) {
    const rig = await startAiRig();
    const direct: Sample[] = [];
    const through: Sample[] = [];
    const disk: number[] = [];
    const file = await openDurableFile();
    tell(`${ROUNDS} calls each, in turns`);
    try {
      for (let round = -WARM_UP; round < ROUNDS; round += 1) {
        const one = await measure(`${rig.anthropic.url}/v1/messages`);
        const other = await measure(`${rig.worker.url}/anthropic/v1/messages`);
        const written = await file.write();
        // Remembered, they would be collected by and by, in the middle of calls that are measured.
        rig.anthropic.requests.length = 0;
        if (round < 0) continue;
        direct.push(one);
        through.push(other);
        disk.push(written);
      }
    } finally {
      await rig.close();
      await file.close();
    }
    tell(`${ROUNDS} calls each, in turns, with a bare relay`);
    const bare = await measureRelay();
    tell(`${CHUNK_STREAMS} streams of ${CHUNKS} chunks each, in turns`);
    const chunks = await measureChunks();
    const first = [direct, through].map((all) => all.map((one) => one.first));
    const whole = [direct, through].map((all) => all.map((one) => one.whole));
    return {
      how:
        `A streamed call with 60 kB in, ${ROUNDS} of each in turns, to an emulated provider on the ` +
        "same machine: directly, and through the Worker's AI gateway in workerd, one call after the other, so that " +
        "all but the first are sent on a reservation made ahead; as large a write to that disk alone; and, apart, " +
        "through a process that only passes bytes on, against directly. A chunk: the time from its sending to its " +
        `arrival, ${CHUNK_STREAMS} streams of ${CHUNKS} each, one every ${CHUNK_PACE_MS} ms.`,
      table: {
        head: ["", "p50", "p95", "p99"],
        rows: [
          percentileRow("first byte, directly", first[0] ?? []),
          percentileRow("first byte, through the Worker", first[1] ?? []),
          addedRow("first byte, added", first[0] ?? [], first[1] ?? []),
          addedRow("first byte, added by a bare relay", bare.direct, bare.through),
          percentileRow("a durable write alone", disk),
          percentileRow("whole, directly", whole[0] ?? []),
          percentileRow("whole, through the Worker", whole[1] ?? []),
          addedRow("whole, added", whole[0] ?? [], whole[1] ?? []),
          percentileRow("a chunk, directly", chunks.direct),
          percentileRow("a chunk, through the Worker", chunks.through),
          addedRow("a chunk, added", chunks.direct, chunks.through),
        ],
      },
      goals: [
        ...goals("first byte, added", first[0] ?? [], first[1] ?? []),
        ...goals("a chunk, added", chunks.direct, chunks.through),
      ],
    };
  },
};

function goals(what: string, direct: readonly number[], through: readonly number[]): Goal[] {
  const [from, to] = [percentiles(direct), percentiles(through)];
  return (["p50", "p99"] as const).map((key) => ({
    what: `${what} at ${key}`,
    measured: milliseconds(to[key] - from[key]),
    goal: `≤ ${GOAL[key]} ms`,
    met: to[key] - from[key] <= GOAL[key],
  }));
}

/** What a process on the way costs on this machine that only passes bytes on. */
async function measureRelay(): Promise<{ direct: number[]; through: number[] }> {
  const provider = await startAnthropic();
  const relay = await startRelay(provider.url);
  const [direct, through]: [number[], number[]] = [[], []];
  try {
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      const one = await measure(`${provider.url}/v1/messages`);
      const other = await measure(`${relay.url}/v1/messages`);
      provider.requests.length = 0;
      if (round < 0) continue;
      direct.push(one.first);
      through.push(other.first);
    }
  } finally {
    await relay.close();
    await provider.close();
  }
  return { direct, through };
}

async function measureChunks(): Promise<{ direct: number[]; through: number[] }> {
  const provider = await startTimedStream(CHUNKS, CHUNK_PACE_MS);
  const worker = await startAiWorker({
    anthropic: { apiKey: "bench", baseUrl: provider.url },
  });
  const [direct, through]: [number[], number[]] = [[], []];
  try {
    for (let n = -1; n < CHUNK_STREAMS; n += 1) {
      const one = await chunkDelays(`${provider.url}/v1/messages`);
      const other = await chunkDelays(`${worker.url}/anthropic/v1/messages`);
      if (n < 0) continue;
      direct.push(...one);
      through.push(...other);
    }
  } finally {
    await worker.close();
    await provider.close();
  }
  return { direct, through };
}

async function chunkDelays(url: string): Promise<number[]> {
  const response = await fetch(url, CALL);
  const found: number[] = [];
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    found.push(...delays(text, performance.now()));
  }
  return found;
}

async function measure(url: string): Promise<Sample> {
  const began = performance.now();
  const response = await fetch(url, CALL);
  const reader = response.body?.getReader();
  await reader?.read();
  const first = performance.now() - began;
  while ((await reader?.read())?.done === false);
  return { first, whole: performance.now() - began };
}
