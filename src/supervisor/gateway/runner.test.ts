import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AgentProcess, Exit } from "../isolation/agent-process.ts";
import type { GatewayRunnerParts } from "./runner.ts";
import { createGatewayRunner } from "./runner.ts";

/** A gateway whose life the test directs. */
function fakeGateway() {
  const exited = Promise.withResolvers<Exit>();
  const signals: string[] = [];
  const process: AgentProcess = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    exited: exited.promise,
    pid: () => 1,
    signal(signal) {
      signals.push(signal);
      if (signal === "SIGKILL") exited.resolve({ code: undefined, signal });
      return true;
    },
  };
  const ready = Promise.withResolvers<void>();
  const exit = (code: number) => exited.resolve({ code, signal: undefined });
  return { process, signals, ready, exit };
}

function setUp(overrides: Partial<GatewayRunnerParts> = {}) {
  const lives: ReturnType<typeof fakeGateway>[] = [];
  const states: string[] = [];
  const rejected = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const runner = createGatewayRunner({
    prepare: () => Promise.resolve({ ok: true }),
    spawn() {
      const life = fakeGateway();
      lives.push(life);
      return Promise.resolve(life.process);
    },
    untilReady: ({ over, deadline }) =>
      orAborted(lives.at(-1)?.ready.promise, AbortSignal.any([over, deadline])),
    untilSilent: (signal) => orAborted(undefined, signal),
    onReady: () => Promise.resolve(),
    onRejected: rejected,
    killAll: () => Promise.resolve(),
    tail: () => "the last words",
    onChange: () => states.push(runner.view().state),
    now: () => Date.now(),
    wait: (ms, signal) => orAborted(new Promise((resolve) => setTimeout(resolve, ms)), signal),
    deadlineMs: 60_000,
    ...overrides,
  });
  const settle = () => vi.advanceTimersByTimeAsync(0);
  return { runner, lives, states, rejected, settle };
}

function orAborted(done: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
  });
  return done === undefined ? aborted : Promise.race([done, aborted]);
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the gateway's runner", () => {
  it("starts a gateway that ended again, later each time, and counts", async () => {
    const { runner, lives, settle } = setUp();
    runner.start();
    await settle();
    lives[0]?.ready.resolve();
    await settle();
    expect(runner.view()).toMatchObject({ state: "ready", restarts: 0 });
    lives[0]?.exit(1);
    await settle();
    expect(runner.view()).toMatchObject({
      state: "backoff",
      lastError: "exit code 1\nthe last words",
    });
    await vi.advanceTimersByTimeAsync(500);
    expect(runner.view()).toMatchObject({ state: "starting", restarts: 1 });
    lives[1]?.exit(1);
    await settle();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(runner.view().state).toBe("backoff");
    await vi.advanceTimersByTimeAsync(1);
    expect(runner.view()).toMatchObject({ state: "starting", restarts: 2 });
  });

  it("does not loop when the gateway rejects its config", async () => {
    const { runner, lives, rejected, settle } = setUp();
    runner.start();
    await settle();
    lives[0]?.exit(78);
    await settle();
    expect(runner.view()).toMatchObject({ state: "failed", restarts: 0 });
    expect(rejected).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(lives).toHaveLength(1);
  });

  it("ends a stop by force when the gateway takes too long", async () => {
    const { runner, lives, settle } = setUp();
    runner.start();
    await settle();
    lives[0]?.ready.resolve();
    await settle();
    const stopped = runner.stop(20_000);
    await vi.advanceTimersByTimeAsync(19_999);
    expect(lives[0]?.signals).toEqual(["SIGTERM"]);
    expect(runner.view().state).toBe("stopping");
    await vi.advanceTimersByTimeAsync(1);
    await stopped;
    expect(lives[0]?.signals).toEqual(["SIGTERM", "SIGKILL"]);
    expect(runner.view().state).toBe("stopped");
  });

  it("a stop between two starts prevents the next", async () => {
    const { runner, lives, settle } = setUp();
    runner.start();
    await settle();
    lives[0]?.exit(1);
    await settle();
    expect(runner.view().state).toBe("backoff");
    await runner.stop(1_000);
    expect(runner.view().state).toBe("stopped");
    await vi.advanceTimersByTimeAsync(600_000);
    expect(lives).toHaveLength(1);
  });

  it("a gateway that never worked has one deadline for all its attempts", async () => {
    const { runner, lives, settle } = setUp({ deadlineMs: 5_000 });
    runner.start();
    for (const delay of [500, 2_000]) {
      await settle();
      lives.at(-1)?.exit(1);
      await vi.advanceTimersByTimeAsync(delay);
    }
    await settle();
    lives.at(-1)?.exit(1);
    await settle();
    expect(runner.view()).toMatchObject({ state: "failed", restarts: 2 });
  });

  it("a preparation that fails is the error, and is tried again", async () => {
    const prepare = vi.fn<GatewayRunnerParts["prepare"]>(() =>
      Promise.resolve({ ok: false, message: "disk full" }),
    );
    const { runner, lives, settle } = setUp({ prepare });
    runner.start();
    await settle();
    expect(runner.view()).toMatchObject({ state: "backoff", lastError: "disk full" });
    await vi.advanceTimersByTimeAsync(500);
    expect(prepare).toHaveBeenCalledTimes(2);
    expect(lives).toHaveLength(0);
  });
});
