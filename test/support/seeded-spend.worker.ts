/** A spend room with a month behind it: what the admin page has to show. */
import { SpendRoom } from "../../src/worker/ai/ledger/spend-room.ts";
import type { CallStart, Settlement } from "../../src/worker/ai/ledger/calls.ts";

type Parts = ConstructorParameters<typeof SpendRoom>[0];

const DAY_MS = 86_400_000;
const MODELS = [
  { provider: "anthropic", model: "claude-opus-5", wire: "messages" },
  { provider: "openai", model: "gpt-5.5", wire: "chat" },
  { provider: "openai", model: "of-nobody", wire: "chat" },
] as const;

export async function seededSpendRoom(sql: Parts["sql"], held: () => boolean): Promise<SpendRoom> {
  let past: number | undefined = Date.now() - 20 * DAY_MS;
  const room = new SpendRoom({
    sql,
    agentId: "main",
    held,
    config: {
      anthropic: { apiKey: "sk-ant-planted-0123456789", baseUrl: "https://api.anthropic.com" },
      openai: { apiKey: "sk-planted", baseUrl: "https://api.openai.com/v1", compatible: false },
    },
    configured: "anthropic/claude-opus-5",
    defaults: { caps: { dayUsd: 2, monthTokens: 9_000_000 }, prices: [] },
    waitUntil: () => {},
    fetch: () => Promise.reject(new Error("nothing goes out")),
    now: () => past ?? Date.now(),
  });
  for (let n = 0; n < 60; n += 1) {
    // The last dozen are of today.
    past = Date.now() - (n < 48 ? (20 - Math.floor(n / 3)) * DAY_MS : 1000);
    const opened = await room.open(callOf(n, MODELS[n % MODELS.length] ?? MODELS[0]));
    if (opened.to === "provider" && opened.reserved.ok) {
      await room.settle(endOf(opened.reserved.n, n));
    }
  }
  past = undefined;
  return room;
}

export function callOf(n: number, asked: (typeof MODELS)[number]): CallStart {
  return {
    requestId: `request-${n}`,
    asked,
    wire: asked.wire,
    stream: true,
    inputBytes: 60_000,
    remote: false,
    outputAsked: 100,
    choices: 1,
    leastOutput: 64,
    cacheKey: "",
  };
}

export function endOf(n: number, nth: number): Settlement {
  if (nth % 7 === 5) return { n, state: "free", status: 529, totalMs: 80 };
  return {
    n,
    state: "settled",
    status: 200,
    firstByteMs: 200 + nth,
    totalMs: 3000,
    usage: {
      final: true,
      failed: false,
      mode: {},
      feesUsd: 0,
      usage: { input_tokens: 12_000, output_tokens: 400 + nth, cache_read_tokens: 8000 },
    },
  };
}
