import type { GatewayState } from "../../protocol/control.ts";
import type { AgentProcess, Exit } from "../isolation/agent-process.ts";
import { describeExit } from "../isolation/agent-process.ts";
import { backoffMs, failuresAfter } from "./backoff.ts";

/** What the gateway is doing, as others see it. */
export interface GatewayView {
  state: GatewayState;
  restarts: number;
  lastError?: string;
  readyMs?: number;
}

export interface GatewayRunnerParts {
  /** Puts files in place before a start; a message when that cannot work out. */
  prepare(): Promise<{ ok: true } | { ok: false; message: string }>;
  spawn(): Promise<AgentProcess>;
  /** Resolves when the gateway does its work; rejects only at its end or at the start's deadline. */
  untilReady(signals: { over: AbortSignal; deadline: AbortSignal }): Promise<void>;
  /** Resolves when a ready gateway no longer answers. */
  untilSilent(signal: AbortSignal): Promise<unknown>;
  onReady(): Promise<void>;
  /** The gateway will not have its config. */
  onRejected(): Promise<void>;
  killAll(): Promise<void>;
  /** The end of what the gateway said. */
  tail(): string;
  onChange(): void;
  now(): number;
  /** Rejects when the signal comes first. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Milliseconds a start may take. */
  deadlineMs: number;
}

export interface GatewayRunner {
  view(): GatewayView;
  pid(): number | undefined;
  start(): void;
  /** Ends the gateway, by force after the deadline. Resolves when nothing of it is left. */
  stop(deadlineMs: number): Promise<void>;
}

/** sysexits.h EX_CONFIG: the gateway says with it that its config or its state will not do. */
const EX_CONFIG = 78;
const MAX_ERROR_CHARS = 4_000;

type Outcome =
  | { kind: "ended"; error: string; readyForMs: number }
  | { kind: "rejected"; error: string };

/** Keeps the gateway running: starts it, waits until it is ready, starts it again when it ends. */
export function createGatewayRunner(parts: GatewayRunnerParts): GatewayRunner {
  let view: GatewayView = { state: "idle", restarts: 0 };
  let gateway: AgentProcess | undefined;
  let finished: Promise<void> = Promise.resolve();
  const stopping = new AbortController();

  function change(next: Partial<GatewayView> & { state: GatewayState }): void {
    view = { ...view, ...next };
    parts.onChange();
  }

  function ended(what: string, error: string): string {
    const tail = parts.tail();
    return `${what}${error}${tail && `\n${tail}`}`.slice(0, MAX_ERROR_CHARS);
  }

  /** One life of the gateway, from spawn to exit. */
  async function live(): Promise<Outcome> {
    const startedAt = parts.now();
    const prepared = await parts.prepare();
    if (!prepared.ok) return { kind: "ended", error: prepared.message, readyForMs: 0 };
    if (stopping.signal.aborted) return { kind: "ended", error: "stopped", readyForMs: 0 };

    gateway = await parts.spawn();
    const running = gateway;
    if (stopping.signal.aborted) running.signal("SIGTERM");
    const over = new AbortController();
    const exited = running.exited.then((exit) => {
      over.abort();
      return exit;
    });
    const deadline = AbortSignal.timeout(Math.max(1, parts.deadlineMs - (parts.now() - startedAt)));
    const ready = await succeeded(parts.untilReady({ over: over.signal, deadline }));

    let readyAt: number | undefined;
    let silent = false;
    if (ready && !over.signal.aborted) {
      readyAt = parts.now();
      if (!stopping.signal.aborted) change({ state: "ready", readyMs: readyAt - startedAt });
      void parts.onReady();
      silent = await succeeded(parts.untilSilent(over.signal));
    }
    const late = !ready && !over.signal.aborted;
    if ((silent || late) && !stopping.signal.aborted) running.signal("SIGKILL");

    const exit: Exit = await exited;
    gateway = undefined;
    await parts.killAll();
    if (late) {
      const error = ended("", `not ready within ${parts.deadlineMs} ms`);
      return { kind: "ended", error, readyForMs: 0 };
    }
    const error = ended(silent ? "stopped answering; " : "", describeExit(exit));
    if (exit.code === EX_CONFIG) return { kind: "rejected", error };
    return { kind: "ended", error, readyForMs: readyAt === undefined ? 0 : parts.now() - readyAt };
  }

  async function run(): Promise<void> {
    const bootedAt = parts.now();
    let failures = 0;
    let wasReady = false;
    for (;;) {
      change({ state: "starting" });
      const outcome = await live();
      if (stopping.signal.aborted) break;
      wasReady ||= view.readyMs !== undefined;
      if (outcome.kind === "rejected") {
        await parts.onRejected();
        return change({ state: "failed", lastError: outcome.error });
      }
      failures = failuresAfter(failures, outcome.readyForMs);
      const delay = backoffMs(failures);
      // A gateway that never worked has one deadline for all its attempts.
      if (!wasReady && parts.now() + delay - bootedAt >= parts.deadlineMs) {
        return change({ state: "failed", lastError: outcome.error });
      }
      change({ state: "backoff", lastError: outcome.error });
      await succeeded(parts.wait(delay, stopping.signal));
      if (stopping.signal.aborted) break;
      view = { ...view, restarts: view.restarts + 1 };
    }
    change({ state: "stopped" });
  }

  return {
    view: () => view,
    pid: () => gateway?.pid(),
    start() {
      finished = run().catch((error: unknown) => {
        gateway?.signal("SIGKILL");
        change({
          state: "failed",
          lastError: error instanceof Error ? error.message : String(error),
        });
      });
    },
    async stop(deadlineMs) {
      if (view.state === "idle" || view.state === "failed") return change({ state: "stopped" });
      if (view.state !== "stopped") change({ state: "stopping" });
      stopping.abort();
      gateway?.signal("SIGTERM");
      const force = setTimeout(() => gateway?.signal("SIGKILL"), deadlineMs);
      await finished;
      clearTimeout(force);
    },
  };
}

/** True when it resolved, false when it was given up. */
async function succeeded(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch {
    return false;
  }
}
