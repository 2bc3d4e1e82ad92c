import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it, vi } from "vitest";
import type { Report } from "../protocol/control.ts";
import type { Log } from "./log.ts";
import type { Reporter } from "./reporter.ts";
import { createReporter } from "./reporter.ts";

const pairing: Report = { kind: "pairing", startGeneration: 1 };
const unrecorded: Report = { kind: "unrecorded-device", startGeneration: 1, deviceId: "a" };

let reporter: Reporter | undefined;
afterEach(() => reporter?.stop());

function quietLog() {
  const warnings: string[] = [];
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (text) => void warnings.push(text),
    error: () => undefined,
  };
  return { log, warnings };
}

it("sends many changes as one status, and each event by itself", async () => {
  const sent: Report[] = [];
  reporter = createReporter({
    controlToken: "t",
    log: quietLog().log,
    status: () => Promise.resolve(pairing),
    send: (report) => Promise.resolve(void sent.push(report)),
  });
  for (let n = 0; n < 20; n += 1) reporter.changed();
  reporter.event(unrecorded);
  reporter.event(unrecorded);
  await vi.waitFor(() => expect(sent).toEqual([unrecorded, unrecorded, pairing]));
  await sleep(300);
  expect(sent).toHaveLength(3);
});

it("tries again what did not arrive, and complains once", async () => {
  const { log, warnings } = quietLog();
  let attempts = 0;
  const sent: Report[] = [];
  reporter = createReporter({
    controlToken: "t",
    log,
    status: () => Promise.resolve(pairing),
    send(report) {
      attempts += 1;
      if (attempts === 1) return Promise.reject(new Error("refused"));
      return Promise.resolve(void sent.push(report));
    },
  });
  reporter.event(unrecorded);
  await vi.waitFor(() => expect(sent).toEqual([unrecorded]), { timeout: 5_000 });
  expect(warnings).toEqual(["a report did not arrive: refused"]);
});
