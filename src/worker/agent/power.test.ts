import { expect, it } from "vitest";
import type { Done } from "../done.ts";
import { parseConfig } from "../config.ts";
import type { LastBackup } from "./backups/last-backup.ts";
import { BUDGET } from "./budget.ts";
import type { Life } from "./lifecycle.ts";
import { Power } from "./power.ts";
import type { PowerParts } from "./power-parts.ts";
import { StartAgain } from "./start-again.ts";

const PARSED = parseConfig({
  MOLTBOT_GATEWAY_TOKEN: "t".repeat(32),
  ANTHROPIC_API_KEY: "sk-ant-planted",
});

/** An agent that stops and starts at once, and what happened to it in order. */
function agent(kept: LastBackup = { ok: true }, settings = new Map<string, string>()) {
  const log: string[] = [];
  const held: { panic?: { at: number; by: string }; ending?: Promise<void> | undefined } = {};
  let present: Life = { phase: "ready", since: 0, startGeneration: 1, failures: 0 };
  const life: PowerParts["life"] = {
    get life() {
      return present;
    },
    get phase() {
      return present.phase;
    },
    get ending() {
      return held.ending;
    },
    ...{ supervisor: undefined, lost: undefined },
    ...{ adopt: async () => {}, reconcile: () => {}, observe: () => {}, fail: async () => {} },
    async want() {
      if (present.phase === "stopped") log.push("start");
      present = { ...present, phase: "ready" };
      return { ok: true };
    },
    async drain() {
      log.push("stop");
      present = { ...present, phase: "stopped" };
    },
  };
  const power = new Power({
    ...{ life, parsed: PARSED, budget: BUDGET, refused: () => {} },
    wakefulness: { touch: () => {}, next: () => ({ act: "nothing" }), schedule: async () => {} },
    backups: {
      keep: async () => kept,
      suspend: async () => ({ ok: true }),
    },
    control: {
      status: async () => ({ ok: false, reason: "no sandbox" }),
      resume: async () => ({ ok: true, value: undefined }),
    },
    sandbox: { destroy: async () => ({ ok: true }) },
    panic: {
      get held() {
        return held.panic;
      },
    },
    alarm: { set: async () => {} },
    again: new StartAgain({
      setting: (name) => settings.get(name),
      setSetting(name, value) {
        if (value === undefined) settings.delete(name);
        else settings.set(name, value);
      },
    }),
  });
  return { power, life, log, held };
}

const possible = async (): Promise<Done> => ({ ok: true });

/** A change that waits for a word. */
function change(log: string[], name: string) {
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<Done>()];
  const run = async () => {
    log.push(`${name} begins`);
    begun.resolve();
    const done = await end.promise;
    log.push(`${name} ends`);
    return done;
  };
  return { run, begun: begun.promise, end: end.resolve };
}

it("who wants the agent while its next state is being changed waits for it", async () => {
  const { power, log } = agent();
  const restore = change(log, "restore");
  const rewritten = power.rewritten(restore.run, possible);
  await restore.begun;
  const woken = [power.wake(), power.wakeForMessages(), power.start()];
  await new Promise(setImmediate);
  restore.end({ ok: true });
  expect(await rewritten).toEqual({ ok: true });
  await Promise.all(woken);
  expect(log).toEqual(["stop", "restore begins", "restore ends", "start"]);
});

it("two changes at once come one after the other", async () => {
  const { power, log } = agent();
  const [first, second] = [change(log, "first"), change(log, "second")];
  const both = [power.rewritten(first.run, possible), power.rewritten(second.run, possible)];
  await first.begun;
  second.end({ ok: true });
  await new Promise(setImmediate);
  first.end({ ok: true });
  expect(await Promise.all(both)).toEqual([{ ok: true }, { ok: true }]);
  expect(log.indexOf("first ends")).toBeLessThan(log.indexOf("second begins"));
});

it("nothing starts after a change when the panic button was pressed meanwhile", async () => {
  const { power, log, held } = agent();
  const restore = change(log, "restore");
  const rewritten = power.rewritten(restore.run, possible);
  await restore.begun;
  const woken = power.wake();
  held.panic = { at: 1, by: "olga" };
  restore.end({ ok: true });
  expect(await woken).toMatchObject({ ok: false });
  expect(await rewritten).toMatchObject({ ok: false });
  expect(log).toEqual(["stop", "restore begins", "restore ends"]);
});

it.each([true, false])(
  "who waits for an end gets no start when it is held by then: %s",
  async (panics) => {
    const { power, log, held } = agent();
    await power.shutDown();
    const end = Promise.withResolvers<void>();
    held.ending = end.promise;
    const woken = power.wake();
    await new Promise(setImmediate);
    if (panics) held.panic = { at: 1, by: "olga" };
    held.ending = undefined;
    end.resolve();
    expect((await woken).ok).toBe(!panics);
    expect(log).toEqual(panics ? ["stop"] : ["stop", "start"]);
  },
);

it.each<[string, (power: Power) => Promise<unknown>, boolean]>([
  ["restart", (power) => power.restart(), true],
  ["restore", (power) => power.rewritten(async () => ({ ok: true }), possible), true],
  ["stop", (power) => power.stop(), false],
])("a %s that the end of the Durable Object cut is followed by a start: %#", async (...row) => {
  const [, begin, starts] = row;
  const settings = new Map<string, string>();
  const before = agent({ ok: true }, settings);
  before.life.drain = () => new Promise(() => {});
  void begin(before.power);
  await new Promise(setImmediate);
  const after = agent({ ok: true }, settings);
  await after.life.drain();
  await after.power.goOn();
  await after.power.goOn();
  expect(after.log).toEqual(starts ? ["stop", "start"] : ["stop"]);
  expect(settings.size).toBe(0);
});

it("a change that fails by an error keeps nobody waiting", async () => {
  const { power, log } = agent();
  const fails = () => Promise.reject(new Error("no bucket"));
  await expect(power.rewritten(fails, possible)).rejects.toThrow("no bucket");
  expect(await power.wake()).toEqual({ ok: true });
  expect(log).toEqual(["stop", "start"]);
});

it("a state that would be lost is not given up for a change that cannot be made", async () => {
  const { power, log } = agent({ ok: false, reason: "it is broken", waiting: "is-in-vain" });
  const restore = change(log, "restore");
  const refused: Done = { ok: false, reason: "there is no generation 99" };
  expect(await power.rewritten(restore.run, async () => refused)).toEqual(refused);
  expect(log).toEqual([]);
});
