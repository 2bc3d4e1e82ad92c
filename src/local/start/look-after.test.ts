import { expect, it } from "vitest";
import { lookAfterAgent } from "./look-after.ts";
import type { Operator } from "./operator-client.ts";

function watched(rounds: number) {
  const stop = new AbortController();
  const seen: (string | number)[] = [];
  const operator: Pick<Operator, "call"> = {
    async call(name) {
      seen.push(name);
      return { ok: false, reason: "the runtime is restarting" };
    },
  };
  const wait = (ms: number): Promise<void> => {
    if (seen.length / 2 === rounds) stop.abort();
    else seen.push(ms);
    return Promise.resolve();
  };
  return { seen, ended: lookAfterAgent(operator, stop.signal, wait) };
}

it("looks after the agent every five minutes, also after a round without an answer", async () => {
  const { seen, ended } = watched(3);
  await ended;
  expect(seen).toEqual([300_000, "lookAfter", 300_000, "lookAfter", 300_000, "lookAfter"]);
});

it("ends at the stop and asks nothing any more", async () => {
  const { seen, ended } = watched(0);
  await ended;
  expect(seen).toEqual([]);
  const stop = new AbortController();
  const calls: string[] = [];
  const call: Operator["call"] = async (name) => {
    calls.push(name);
    return { ok: true };
  };
  const waiting = lookAfterAgent({ call }, stop.signal);
  stop.abort();
  await waiting;
  expect(calls).toEqual([]);
});
