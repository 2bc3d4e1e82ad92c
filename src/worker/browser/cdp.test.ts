import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { answerCdp } from "./cdp.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a room that never says which session is an error in words, and not a call that hangs", async () => {
  const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
  const answered = answerCdp({
    request: new Request("http://127.0.0.1:9222/json/version"),
    path: "/json/version",
    root: "ws://127.0.0.1:9222",
    caller: { holder: "agent", from: "", startGeneration: 1 },
    browser: { open: never, sessionsOf: never, gone: never, overview: never, release: never },
    binding: { fetch: never },
  });
  await vi.advanceTimersByTimeAsync(120_000);
  const answer = await answered;
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({ error: { code: "browser_unreachable" } });
});
