import { setTimeout as sleep } from "node:timers/promises";
import type { BootDocument } from "../protocol/boot.ts";
import type { GatewayState, SupervisorStatus } from "../protocol/control.ts";
import { CONTROL_PROTOCOL } from "../protocol/names.ts";
import { openHomeWorker } from "./agent-home/home-client.ts";
import { backUpNow, drill, sessionBackups } from "./backups/session-backups.ts";
import type { StateBackups } from "./backups/state-backups.ts";
import type { Booted } from "./control/control-server.ts";
import { createAgain } from "./again.ts";
import type { Devices } from "./front/devices.ts";
import { createDeliverer } from "./deliver.ts";
import { createDevices } from "./front/devices.ts";
import { gatewayRunnerParts } from "./gateway/parts.ts";
import type { GatewayRunner, GatewayView } from "./gateway/runner.ts";
import { createGatewayRunner } from "./gateway/runner.ts";
import type { IsolationProbe } from "./isolation/probe.ts";
import { backUpLast, noteRestored } from "./keeping.ts";
import type { LogRing } from "./log-ring.ts";
import type { Log } from "./log.ts";
import { createMarks } from "./marks.ts";
import { createOperator } from "./operator/operator.ts";
import { listProcesses, memoryOf } from "./processes.ts";
import { createProof } from "./proof.ts";
import { createReporter } from "./reporter.ts";
import type { Settings } from "./settings.ts";
import { createSuspension } from "./suspension.ts";

export interface SessionParts {
  document: BootDocument;
  settings: Settings;
  env: Record<string, string | undefined>;
  program: { node: string; bundle: string };
  isolation: Promise<IsolationProbe>;
  ring: LogRing;
  log: Log;
  connections(): number;
}

/** Everything that lives from the boot document to the end of the sandbox. */
export interface Session extends Booted {
  devices: Devices;
  isReady(): boolean;
  reportUnrecordedDevice(deviceId: string): void;
  /** Stops the gateway and everything that works for it. */
  close(deadlineMs: number): Promise<void>;
}

/** Events of the gateway after which its state is worth keeping at once. */
const WORTH_KEEPING = ["chat", "device.pair.", "cron", "config."] as const;
/** A gateway that is busy answers late; nobody waits long for one that does not answer at all. */
const DUE_TRIES = 3;
const DUE_PAUSE_MS = 300;
const FIRST_OUTCOMES: ReadonlySet<GatewayState> = new Set(["ready", "backoff", "failed"]);

export function startSession(parts: SessionParts): Session {
  const { document, settings, ring, log } = parts;
  const { startGeneration } = document;
  const listeners = new Set<(status: SupervisorStatus) => void>();
  const devices = createDevices(document.approvedDevices);
  let isolation: SupervisorStatus["isolation"] = "unavailable";
  let runner: GatewayRunner | undefined;
  let backups: StateBackups | undefined;
  const marks = createMarks({
    kept: document.backups !== undefined,
    onKept: () => tell(),
    poke: () => backups?.poke(),
    now: () => performance.now(),
  });
  const proof = createProof(() => performance.now());
  const deliverer = createDeliverer(
    { gateway: settings.gatewayPort, telegram: settings.telegramPort },
    document.handedOver ?? [],
    log,
  );
  const again = createAgain({
    again: deliverer.again,
    hold: marks.hold,
    wait: (ms) => sleep(ms, undefined, { ref: false }),
  });
  let followed = false;
  let unstarted: GatewayView = { state: "starting", restarts: 0 };

  const operator = createOperator({
    port: settings.gatewayPort,
    token: document.gatewayToken,
    onEvent(event) {
      if (WORTH_KEEPING.some((name) => event.startsWith(name))) backups?.poke();
      // A job was made or changed: its time has to be known before the agent sleeps.
      if (event.startsWith("cron")) void operator.askDue().then(() => reporter.changed());
      if (!event.startsWith("device.pair.")) return;
      reporter.event({ kind: "pairing", startGeneration });
    },
    onLost: (reason) => log.warn(`the operator connection was lost: ${reason}`),
  });
  const reporter = createReporter({
    controlToken: document.controlToken,
    log,
    status: async () => ({ kind: "status", status: await status() }),
  });

  const started = parts.isolation.then(async (probe) => {
    if (!probe.ok) {
      unstarted = { state: "failed", restarts: 0, lastError: probe.message };
      return changed();
    }
    isolation = probe.isolation.kind;
    const { home } = settings;
    probe.isolation.prepare();
    const homeWorker = openHomeWorker(probe.isolation, home, parts.program);
    // Whoever gives it its task hears of a failure.
    homeWorker.catch(() => undefined);
    backups = sessionBackups({
      ...parts,
      home,
      isolation: probe.isolation,
      seal: proof.around(marks.seal),
      onChange: tell,
    });
    if (backups !== undefined) {
      const restored = await backups.restore();
      if (restored.outcome === "failed") {
        homeWorker.then(
          (worker) => worker.end(),
          () => undefined,
        );
        const lastError = backups.status().lastError?.message ?? restored.message;
        unstarted = { state: "failed", restarts: 0, lastError };
        return changed();
      }
      noteRestored(restored, log);
      proof.begin();
    }
    runner = createGatewayRunner(
      gatewayRunnerParts({
        ...{ ...parts, isolation: probe.isolation, operator, homeWorker },
        onChange: changed,
        taken: () => deliverer.taken(),
        handedOver: deliverer.requests,
        ended: again.ended,
        lost: again.ready,
      }),
    );
    runner.start();
  });

  async function status(): Promise<SupervisorStatus> {
    await started;
    await operator.askBusy();
    return statusNow();
  }

  function statusNow(): SupervisorStatus {
    const version = operator.version();
    const gatewayMemory = memoryOf(runner?.pid());
    const busy = operator.lastBusy();
    const sinceKeptMs = proof.ageMs();
    const nextDue = operator.lastDue();
    return {
      protocol: CONTROL_PROTOCOL,
      agentId: document.agentId,
      startGeneration,
      gateway: { ...view(), ...(version === undefined ? {} : { version }) },
      isolation,
      sandbox: settings.sandbox,
      memory: {
        supervisor: process.memoryUsage.rss(),
        ...(gatewayMemory === undefined ? {} : { gateway: gatewayMemory }),
      },
      uptimeMs: Math.round(process.uptime() * 1000),
      connections: parts.connections(),
      ...(busy === undefined ? {} : { busy }),
      ...(backups === undefined
        ? {}
        : {
            backups: { ...backups.status(), ...(sinceKeptMs === undefined ? {} : { sinceKeptMs }) },
          }),
      keptMark: marks.kept(),
      ...(nextDue === undefined ? {} : { nextDue }),
    };
  }

  function view(): GatewayView {
    return runner?.view() ?? unstarted;
  }

  function changed(): void {
    const { state, lastError } = view();
    if (state === "failed" || state === "backoff")
      log.error(`gateway ${state}: ${lastError ?? ""}`);
    else log.info(`gateway ${state}`);
    if (runner !== undefined && FIRST_OUTCOMES.has(state)) follow();
    tell();
  }

  /**
   * Changes are followed once it is known how the gateway starts: it needs the processor more. What
   * it writes before is in the first pass, which compares everything.
   */
  function follow(): void {
    if (followed) return;
    followed = true;
    backups?.watch();
  }

  function tell(): void {
    const present = statusNow();
    for (const listener of listeners) listener(present);
    reporter.changed();
  }

  let ending: Promise<void> | undefined;

  /** Whoever asks again meanwhile waits for the same end. */
  function stop(deadlineMs: number): Promise<void> {
    ending ??= end(deadlineMs).finally(() => {
      ending = undefined;
    });
    return ending;
  }

  async function end(deadlineMs: number): Promise<void> {
    await started;
    // A job that was made a moment ago has to be known when nobody can be asked any more.
    for (let tries = 1; tries <= DUE_TRIES && view().state === "ready"; tries += 1) {
      if (await operator.askDue()) break;
      await sleep(DUE_PAUSE_MS);
    }
    // Turns that end meanwhile are kept as they end: this may take long, and be broken off.
    await runner?.stop(deadlineMs);
    backups?.pause();
    // Nothing of the agent runs any more: what there is now is all there will be.
    await backUpLast(backups);
  }

  const suspension = createSuspension({
    startGeneration,
    call: (method, params) => operator.call(method, params),
    backups: () => backups,
    keep: () => backUpLast(backups),
    askDue: () => operator.askDue(),
    isConnected: () => operator.isConnected(),
  });

  return {
    document,
    devices,
    status,
    isReady: () => view().state === "ready",
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    rpc: (request) => operator.call(request.method, request.params),
    setDevices: (approved) => devices.replace(approved),
    logs: (query) => ring.read(query),
    processes: listProcesses,
    backup: () => backUpNow(backups),
    drill: (plan) => drill(backups, plan),
    suspend: () => started.then(() => suspension.suspend()),
    resume: () => suspension.resume(),
    deliver: (request) => deliverer.deliver(request),
    mark: marks.take,
    stop,
    reportUnrecordedDevice(deviceId) {
      log.warn(`refused device ${deviceId}: the gateway let it in, but no admin approved it`);
      reporter.event({ kind: "unrecorded-device", startGeneration, deviceId });
    },
    async close(deadlineMs) {
      await stop(deadlineMs);
      backups?.close();
      deliverer.close();
      reporter.stop();
    },
  };
}
