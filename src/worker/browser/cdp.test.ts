import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { BrowserCaller } from "./calls.ts";
import { answerCdp } from "./cdp.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const AGENT: BrowserCaller = { holder: "agent", from: "", startGeneration: 1 };
const OUTSIDE: BrowserCaller = { holder: "outside", from: "203.0.113.1" };

/** Asks for a browser that never comes; answers what is still waited for besides. */
function asked(path: string, caller: BrowserCaller) {
  const waitedFor: Promise<unknown>[] = [];
  const answer = answerCdp({
    request: new Request(`http://127.0.0.1:9222${path}`),
    path: path.replace(/\?.*/, ""),
    root: "ws://127.0.0.1:9222",
    caller,
    browser: { open: never, sessionsOf: never, gone: never, overview: never, release: never },
    binding: { fetch: never },
    waitUntil: (work) => waitedFor.push(work),
  });
  return { answer, waitedFor };
}

test.each<[string, string, BrowserCaller]>([
  ["somebody outside", "/json/version", OUTSIDE],
  ["the agent, of its pages", "/json/list", AGENT],
  ["the agent, of a session of its own", "/json/version?session=new", AGENT],
])(
  "a room that never says which session is an error in words, and not a call that hangs: %s",
  async (_who, path, caller) => {
    const { answer } = asked(path, caller);
    await vi.advanceTimersByTimeAsync(120_000);
    expect((await answer).status).toBe(502);
    expect(await (await answer).json()).toMatchObject({ error: { code: "browser_unreachable" } });
  },
);

test("the agent is told where to connect before its gateway gives up, and the browser comes all the same", async () => {
  const { answer, waitedFor } = asked("/json/version", AGENT);
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await answer).status).toBe(200);
  expect(await (await answer).json()).toMatchObject({
    webSocketDebuggerUrl: "ws://127.0.0.1:9222",
  });
  expect(waitedFor).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(120_000);
  await expect(waitedFor[0]).resolves.toBeUndefined();
});
