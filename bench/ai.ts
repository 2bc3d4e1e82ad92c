import { startAiWorker } from "../test/support/ai-worker.ts";
import type { Bench, Goal } from "./bench.ts";
import { CALL, measureCalls, startProvider, type CallSample } from "./model-calls.ts";
import { startRelay } from "./relay.ts";
import { delays, startTimedStream } from "./stand-in/timed-stream.ts";
import { addedRow, milliseconds, percentileRow, percentiles } from "./statistics.ts";

const WARM_UP = 50;
const ROUNDS = 1000;
const CHUNKS = 400;
const CHUNK_PACE_MS = 5;
const CHUNK_STREAMS = 3;
const GOAL = { p50: 3, p99: 10 };

interface Measured {
  direct: CallSample[];
  through: CallSample[];
}

export const ai: Bench = {
  name: "ai",
  about: "a streamed model call through the Worker, against the provider directly",
  async run({ tell }) {
    tell(`${ROUNDS} calls each, in turns`);
    const { direct, through, disk } = await measureWorker();
    tell(`${ROUNDS} calls each, in turns, with a bare relay`);
    const bare = await measureRelay();
    tell(`${CHUNK_STREAMS} streams of ${CHUNKS} chunks each, in turns`);
    const chunks = await measureChunks();
    const first = { direct: firsts(direct), through: firsts(through) };
    const whole = { direct: wholes(direct), through: wholes(through) };
    return {
      how:
        `A streamed call with 60 kB in, ${ROUNDS} of each in turns, to an emulated provider on the ` +
        "same machine, caller and provider being processes of their own: directly, and through the Worker's AI " +
        "gateway in workerd, one call after the other, so that all but the first are sent on a reservation made " +
        "ahead; as large a write to that disk alone; and, apart, through a process that only passes bytes on, " +
        "against directly. A chunk: the time from its sending to its " +
        `arrival, ${CHUNK_STREAMS} streams of ${CHUNKS} each, one every ${CHUNK_PACE_MS} ms.`,
      table: {
        head: ["", "p50", "p95", "p99"],
        rows: [
          percentileRow("first byte, directly", first.direct),
          percentileRow("first byte, through the Worker", first.through),
          addedRow("first byte, added", first.direct, first.through),
          addedRow("first byte, added by a bare relay", firsts(bare.direct), firsts(bare.through)),
          percentileRow("a durable write alone", disk),
          percentileRow("whole, directly", whole.direct),
          percentileRow("whole, through the Worker", whole.through),
          addedRow("whole, added", whole.direct, whole.through),
          percentileRow("a chunk, directly", chunks.direct),
          percentileRow("a chunk, through the Worker", chunks.through),
          addedRow("a chunk, added", chunks.direct, chunks.through),
        ],
      },
      goals: [
        ...goals("first byte, added", first.direct, first.through),
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

const firsts = (calls: readonly CallSample[]) => calls.map((one) => one.first);
const wholes = (calls: readonly CallSample[]) => calls.map((one) => one.whole);

async function measureWorker(): Promise<Measured & { disk: number[] }> {
  const provider = await startProvider();
  const worker = await startAiWorker({ anthropic: { apiKey: "bench", baseUrl: provider.url } });
  try {
    const urls = [`${provider.url}/v1/messages`, `${worker.url}/anthropic/v1/messages`];
    const { calls, disk } = await measureCalls(urls, { warmUp: WARM_UP, rounds: ROUNDS });
    const [direct = [], through = []] = calls;
    return { direct, through, disk };
  } finally {
    await worker.close();
    await provider.close();
  }
}

/** What a process on the way costs on this machine that only passes bytes on. */
async function measureRelay(): Promise<Measured> {
  const provider = await startProvider();
  const relay = await startRelay(provider.url);
  try {
    const urls = [provider.url, relay.url].map((url) => `${url}/v1/messages`);
    const { calls } = await measureCalls(urls, { warmUp: WARM_UP, rounds: ROUNDS });
    const [direct = [], through = []] = calls;
    return { direct, through };
  } finally {
    await relay.close();
    await provider.close();
  }
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
