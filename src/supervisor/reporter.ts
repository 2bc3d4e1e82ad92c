import { request as httpRequest } from "./http.ts";
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "../protocol/control.ts";
import { INTERNAL_HOSTS } from "../protocol/names.ts";
import type { Log } from "./log.ts";
import { messageOf } from "./log.ts";

export interface ReporterParts {
  controlToken: string;
  log: Log;
  /** The report of how things stand, made when it is sent. */
  status(): Promise<Report>;
  /** Sends one report; rejects when it did not arrive. */
  send?: (report: Report, controlToken: string) => Promise<void>;
}

/** Tells the Durable Object what changed. It waits for nobody and nobody waits for it. */
export interface Reporter {
  changed(): void;
  event(report: Report): void;
  stop(): void;
}

const DEBOUNCE_MS = 200;
const EVERY_MS = 60_000;
const MAX_EVENTS = 50;
const RETRY_MS = [1_000, 5_000, 15_000, 60_000] as const;

export function createReporter(parts: ReporterParts): Reporter {
  const send = parts.send ?? postReport;
  const events: Report[] = [];
  let statusDue = false;
  let running = false;
  let failures = 0;
  const stopped = new AbortController();
  const regular = setInterval(changed, EVERY_MS);
  regular.unref();

  function changed(): void {
    statusDue = true;
    void drain();
  }

  async function drain(): Promise<void> {
    if (running || stopped.signal.aborted) return;
    running = true;
    await pause(DEBOUNCE_MS);
    while ((events.length > 0 || statusDue) && !stopped.signal.aborted) {
      try {
        await sendNext();
        if (failures > 0) parts.log.info("reports arrive again");
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) parts.log.warn(`a report did not arrive: ${messageOf(error)}`);
        await pause(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? EVERY_MS);
      }
    }
    running = false;
  }

  async function sendNext(): Promise<void> {
    const event = events[0];
    if (event !== undefined) {
      await send(event, parts.controlToken);
      events.shift();
      return;
    }
    statusDue = false;
    try {
      await send(await parts.status(), parts.controlToken);
    } catch (error) {
      statusDue = true;
      throw error;
    }
  }

  function pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
  }

  return {
    changed,
    event(report) {
      if (events.length < MAX_EVENTS) events.push(report);
      void drain();
    },
    stop() {
      clearInterval(regular);
      stopped.abort();
    },
  };
}

const SEND_MS = 10_000;

/** The default agent, because on engines with a proxy it is the one that knows of it. */
function postReport(report: Report, controlToken: string): Promise<void> {
  const body = JSON.stringify(report);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `http://${INTERNAL_HOSTS.control}/v1/report`,
      {
        method: "POST",
        headers: {
          authorization: `Bearer ${controlToken}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        },
        signal: AbortSignal.timeout(SEND_MS),
      },
      (response) => {
        response.resume();
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve();
          else reject(new Error(`status ${status}`));
        });
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
