import { setTimeout as sleep } from "node:timers/promises";
import type { RpcReply } from "../../protocol/control.ts";
import { activeWork, schedule } from "./frames.ts";
import type { OperatorSession } from "./session.ts";
import { openSession } from "./session.ts";

export interface OperatorParts {
  port: number;
  token: string;
  onEvent(event: string): void;
  onLost(reason: string): void;
}

/** The supervisor's one lasting connection to the gateway. */
export interface Operator {
  /** Connects as soon as the gateway lets it, and again whenever it is lost, until aborted. */
  keep(signal: AbortSignal): Promise<void>;
  /** Resolves when it is connected. */
  connected(signal: AbortSignal): Promise<void>;
  call(method: string, params: Record<string, unknown>): Promise<RpcReply>;
  /** Asks whether a turn or a job is under way; undefined when the gateway does not say. */
  askBusy(): Promise<boolean | undefined>;
  /** The latest answer to that. */
  lastBusy(): boolean | undefined;
  /** When the next scheduled job is due, as the gateway last said, also one that is gone; null for never. */
  lastDue(): number | null | undefined;
  /** Asks for it now, whatever was answered a moment ago. @returns whether the gateway said it */
  askDue(): Promise<boolean>;
  /** Whether there is a gateway to be asked. */
  isConnected(): boolean;
  version(): string | undefined;
}

const RETRY_MS = 200;
const CALL_MS = 15_000;
const ACTIVITY_MS = 3_000;
/** Idle answers are fresh this long, so that a busy status page does not keep the gateway busy. */
const BUSY_FRESH_MS = 5_000;

export function createOperator(parts: OperatorParts): Operator {
  let session: OperatorSession | undefined;
  let version: string | undefined;
  let waiters: (() => void)[] = [];
  let asked: { at: number; answer: Promise<boolean | undefined> } | undefined;
  let lastBusy: boolean | undefined;
  let lastDue: number | null | undefined;

  async function keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const opened = await openSession({ ...parts, signal });
      if (opened.ok) {
        session = opened.session;
        version = opened.session.version;
        for (const wake of waiters) wake();
        waiters = [];
        const reason = await session.closed;
        session = undefined;
        asked = undefined;
        lastBusy = undefined;
        if (!signal.aborted) parts.onLost(reason);
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async function call(
    method: string,
    params: Record<string, unknown>,
    deadlineMs = CALL_MS,
  ): Promise<RpcReply> {
    if (session === undefined) {
      return { ok: false, error: { code: "UNAVAILABLE", message: "the gateway is not connected" } };
    }
    return session.call(method, params, deadlineMs);
  }

  async function askDue(): Promise<boolean> {
    const jobs = await call("cron.status", {}, ACTIVITY_MS);
    const due = schedule.safeParse(jobs.ok ? jobs.result : undefined);
    if (due.success) lastDue = due.data.nextWakeAtMs ?? null;
    return due.success;
  }

  async function askActivity(): Promise<boolean | undefined> {
    const [reply] = await Promise.all([
      call("gateway.restart.preflight", {}, ACTIVITY_MS),
      askDue(),
    ]);
    const work = activeWork.safeParse(reply.ok ? reply.result : undefined);
    lastBusy = work.success ? work.data.counts.totalActive > 0 : undefined;
    return lastBusy;
  }

  return {
    keep,
    call,
    connected(signal) {
      if (session !== undefined) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const refuse = () => reject(new Error("gave up waiting for the gateway"));
        if (signal.aborted) return refuse();
        signal.addEventListener("abort", refuse, { once: true });
        waiters.push(() => {
          signal.removeEventListener("abort", refuse);
          resolve();
        });
      });
    },
    askBusy() {
      if (session === undefined) return Promise.resolve(undefined);
      const now = Date.now();
      if (asked === undefined || now - asked.at > BUSY_FRESH_MS) {
        asked = { at: now, answer: askActivity() };
      }
      return asked.answer;
    },
    lastBusy: () => lastBusy,
    lastDue: () => lastDue,
    askDue,
    isConnected: () => session !== undefined,
    version: () => version,
  };
}
