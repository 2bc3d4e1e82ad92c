/**
 * workerd through Miniflare, kept up. Miniflare brings back a workerd that died, once; everything else
 * is done here: one that died during that start, one that runs and answers nothing, and a Miniflare
 * that waits for something that never comes.
 */
import { Miniflare } from "miniflare";
import type { MiniflareOptions } from "miniflare";
import { DeadlineError, within } from "../../../worker/deadline.ts";
import { lookAt } from "./look.ts";
import { endMarked, markedProcesses, newMark } from "./marked-processes.ts";
import type { Mark } from "./marked-processes.ts";
import { RuntimeLog } from "./runtime-log.ts";
import { withoutSignalListeners } from "./signal-listeners.ts";
import type { LookTimes } from "./silence.ts";
import { startAgain } from "./start-again.ts";
import { watchOver } from "./watch-over.ts";
import type { Watched } from "./watch-over.ts";

/**
 * Without load an answer takes milliseconds and a start of workerd a second; with seven times more to do
 * than the machine has cores, a start took 15 s.
 */
export const KEEP_TIMES: LookTimes = {
  everyMs: 5_000,
  answerMs: 10_000,
  silentMs: 30_000,
  startMs: 90_000,
};

const DISPOSE_MS = 10_000;
const REPLACED = "it and what starts it are replaced; the agent starts anew";

/** What every set of options has to carry. */
export interface Carried {
  log: RuntimeLog;
  unsafeHandleRuntimeRestart(): void;
  unsafeRuntimeEnv: Mark;
}

export interface Keeping {
  options(carried: Carried): Promise<MiniflareOptions>;
  /** Something of the Worker's that is cheap, needs no secret and touches no agent; not known before it runs. */
  look(): URL;
  times: LookTimes;
  /** From here on it is not looked at any more: what happens is an orderly end. */
  ending: AbortSignal;
  onLog(level: "warn" | "error", message: string): void;
  /** workerd died and runs again, on the same ports and the same storage. */
  onRestart(): void;
  /** It gives no answer; what is done about it. */
  onSilent(text: string): void;
}

export interface KeptRuntime {
  /** Another one after Miniflare itself had to be replaced. */
  miniflare(): Miniflare;
  /** Starts workerd with the options as they are now. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** @throws when workerd does not come up the first time. */
export async function keepRuntime(keeping: Keeping): Promise<KeptRuntime> {
  const ended = new AbortController();
  const mark = newMark();
  let up = false;
  /** Starts of ours that are under way. */
  let starting = 0;
  const carried: Carried = {
    log: new RuntimeLog({
      onLog: keeping.onLog,
      onGaveUp: () => {
        if (up) void recover();
      },
    }),
    unsafeHandleRuntimeRestart: keeping.onRestart,
    unsafeRuntimeEnv: mark,
  };
  const options = () => keeping.options(carried);
  const make = (given: MiniflareOptions) => withoutSignalListeners(() => new Miniflare(given));

  async function started<T>(start: () => Promise<T>): Promise<T> {
    starting += 1;
    try {
      return await start();
    } finally {
      starting -= 1;
    }
  }

  const load = async () =>
    within("Miniflare", keeping.times.startMs, miniflare.setOptions(await options()));

  /** The sandbox ends with a Miniflare that ends orderly: this is for one that is of no use any more. */
  async function replace(): Promise<void> {
    const disposed = within("Miniflare", DISPOSE_MS, miniflare.dispose()).catch(() => undefined);
    await endMarked(mark);
    await disposed;
    // What it was about to start.
    await endMarked(mark);
    const given = await options();
    if (ended.signal.aborted) return;
    miniflare = make(given);
    await within("workerd", keeping.times.startMs, miniflare.ready);
  }

  const again = startAgain(async () => {
    try {
      await load();
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      keeping.onSilent(
        `workerd did not start within ${seconds(keeping.times.startMs)}: ${REPLACED}`,
      );
      await replace();
    }
    if (!ended.signal.aborted) keeping.onRestart();
  }, ended.signal);
  const recover = () => started(again);

  async function help(silentMs: number, time: number): Promise<void> {
    const silent = `workerd has given no answer for ${seconds(silentMs)}`;
    if (time > 1) {
      keeping.onSilent(`${silent}: ${REPLACED}`);
      await started(replace).then(keeping.onRestart, (error: unknown) =>
        keeping.onLog("error", error instanceof Error ? error.message : String(error)),
      );
      return;
    }
    keeping.onSilent(`${silent}: it is ended and started again`);
    // Miniflare sees one end that ran, and starts the next by itself.
    if ((await endMarked(mark)) === 0) void recover();
  }

  let miniflare = make(await options());
  try {
    await miniflare.ready;
  } catch (error) {
    await miniflare.dispose().catch(() => undefined);
    throw error;
  }
  up = true;
  const watching = AbortSignal.any([ended.signal, keeping.ending]);
  const watched: Watched = {
    async look() {
      const seen = await lookAt(keeping.look(), keeping.times.answerMs);
      if (seen !== "closed") return seen;
      return (await markedProcesses(mark)).length > 0 ? "starting" : "unanswered";
    },
    isPaused: () => starting > 0,
    help,
  };
  void watchOver(watched, keeping.times, watching);
  return {
    miniflare: () => miniflare,
    reload: () => started(load),
    async close() {
      ended.abort();
      await miniflare.dispose();
    },
  };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
