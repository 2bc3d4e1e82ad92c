/** Looks at a runtime again and again, and has it helped when it stays silent. */
import { setTimeout as sleep } from "node:timers/promises";
import { judge, noSilence } from "./silence.ts";
import type { Look, LookTimes } from "./silence.ts";

export interface Watched {
  /** One look; answers within the deadline of the times. */
  look(): Promise<Look["result"]>;
  /** The runtime is down or slow on purpose: it is being started, loaded or ended. */
  isPaused(): boolean;
  /**
   * It has not answered for so long.
   *
   * @param time counts the helps since the last answer, from 1
   */
  help(silentMs: number, time: number): Promise<void>;
}

export interface Clock {
  now(): number;
  /** Ends early, and well, when the signal comes. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
};

export async function watchOver(
  watched: Watched,
  times: LookTimes,
  signal: AbortSignal,
  clock: Clock = CLOCK,
): Promise<void> {
  let silence = noSilence(clock.now());
  for (;;) {
    await clock.wait(times.everyMs, signal);
    if (signal.aborted) return;
    const from = clock.now();
    const seen = watched.isPaused() ? "paused" : await watched.look();
    if (signal.aborted) return;
    const result = watched.isPaused() ? "paused" : seen;
    const judged = judge(silence, { from, to: clock.now(), result }, times);
    silence = judged.silence;
    if (judged.silentMs === undefined) continue;
    await watched.help(judged.silentMs, silence.helped);
    // What the help took is no time without a look.
    silence = { ...silence, looked: clock.now() };
  }
}
