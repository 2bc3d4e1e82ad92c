import { startAiWorker } from "../test/support/ai-worker.ts";
import type { Bench } from "./bench.ts";
import { CALL } from "./model-calls.ts";
import { residentBytes } from "./processes.ts";
import { startTimedStream } from "./stand-in/timed-stream.ts";
import { megabytes } from "./statistics.ts";

const STREAMS = 200;
const EVENTS = 200;
const PACE_MS = 10;
const ROUNDS = 3;
const LOOK_EVERY_MS = 50;

interface Round {
  /** Events that arrived in a second, over all streams. */
  rate: number;
  /** How far the runtime's memory grew at its highest, in bytes. */
  grown: number;
}

export const aiStreams: Bench = {
  name: "ai-streams",
  about: `${STREAMS} streamed model calls at once, against the provider directly`,
  async run({ tell }) {
    const provider = await startTimedStream(EVENTS, PACE_MS);
    const worker = await startAiWorker({ anthropic: { apiKey: "bench", baseUrl: provider.url } });
    const direct: Round[] = [];
    const through: Round[] = [];
    try {
      for (let round = -1; round < ROUNDS; round += 1) {
        tell(round < 0 ? "once to warm up" : `round ${round + 1} of ${ROUNDS}`);
        const one = await measure(`${provider.url}/v1/messages`, worker.pid());
        const other = await measure(`${worker.url}/anthropic/v1/messages`, worker.pid());
        if (round < 0) continue;
        direct.push(one);
        through.push(other);
      }
    } finally {
      await worker.close();
      await provider.close();
    }
    const rates = (rounds: readonly Round[]) => best(rounds.map(({ rate }) => rate));
    const grown = best(through.map((round) => round.grown));
    return {
      how:
        `${STREAMS} streams at once, ${EVENTS} events each, one every ${PACE_MS} ms, ${ROUNDS} rounds in ` +
        "turns: the best round of each. Client and provider are one process. Memory: how far the " +
        "runtime grew at its highest, shared out among the streams.",
      table: {
        head: ["", "directly", "through the Worker"],
        rows: [
          ["events a second", rates(direct).toFixed(0), rates(through).toFixed(0)],
          [
            "share of directly",
            "100 %",
            `${((100 * rates(through)) / rates(direct)).toFixed(0)} %`,
          ],
          ["memory for a stream", "", megabytes(grown / STREAMS)],
        ],
      },
      goals: [],
    };
  },
};

async function measure(url: string, runtime: number): Promise<Round> {
  const before = residentBytes(runtime);
  let highest = before;
  const looks = setInterval(() => {
    highest = Math.max(highest, residentBytes(runtime));
  }, LOOK_EVERY_MS);
  const began = performance.now();
  const events = await Promise.all(Array.from({ length: STREAMS }, () => count(url)));
  const seconds = (performance.now() - began) / 1000;
  clearInterval(looks);
  const all = events.reduce((sum, each) => sum + each, 0);
  if (all !== STREAMS * EVENTS) throw new Error(`${all} of ${STREAMS * EVENTS} events came`);
  return { rate: all / seconds, grown: highest - before };
}

async function count(url: string): Promise<number> {
  const response = await fetch(url, CALL);
  let events = 0;
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    events += text.split('"text_delta"').length - 1;
  }
  return events;
}

function best(values: readonly number[]): number {
  return Math.max(...values);
}
