import type { Server } from "node:http";
import { once } from "node:events";
import { CONTROL_PROTOCOL } from "../protocol/names.ts";
import { openBrowserRelay } from "./browser/relay.ts";
import { createControlServer } from "./control/control-server.ts";
import { createFront } from "./front/front-server.ts";
import { makeRunDirectories } from "./gateway/runtime-files.ts";
import { probeIsolation } from "./isolation/probe.ts";
import { createLogRing } from "./log-ring.ts";
import { createLog } from "./log.ts";
import { createRedactor } from "./redact.ts";
import type { Session } from "./session.ts";
import { startSession } from "./session.ts";
import type { Settings } from "./settings.ts";

export interface Supervisor {
  /** Ends the gateway and both ports. */
  close(deadlineMs: number): Promise<void>;
}

export interface SupervisorOptions {
  settings: Settings;
  env: Record<string, string | undefined>;
  program: { node: string; bundle: string };
  /** Takes each line of the log, redacted. */
  print(line: string): void;
}

const ANY_ADDRESS = "0.0.0.0";

/** Opens both ports and waits for the boot document. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { settings } = options;
  const redactor = createRedactor();
  const ring = createLogRing({
    redactor,
    now: Date.now,
    onLine: (line) => options.print(`[${line.source}] ${line.level} ${line.text}`),
  });
  const log = createLog(ring);
  makeRunDirectories(settings);
  const isolation = probeIsolation(settings);
  let session: Session | undefined;

  const front = createFront({
    gatewayPort: settings.gatewayPort,
    isReady: () => session?.isReady() ?? false,
    devices: () => session?.devices,
    onUnrecordedDevice: (deviceId) => session?.reportUnrecordedDevice(deviceId),
  });
  const control = createControlServer({
    booted: () => session,
    hello: () => ({
      protocol: CONTROL_PROTOCOL,
      state: session === undefined ? "idle" : "booted",
      ...(session === undefined ? {} : { startGeneration: session.document.startGeneration }),
    }),
    boot(document) {
      redactor.learn(document.controlToken);
      redactor.learn(document.gatewayToken);
      session = startSession({
        document,
        settings,
        env: options.env,
        program: options.program,
        isolation,
        ring,
        log,
        connections: () => front.connections(),
      });
      log.info(`booted as start ${document.startGeneration} of agent ${document.agentId}`);
      return session;
    },
    onError: (text) => log.error(text),
  });
  // Before anything of the agent runs, so that nothing else can take the port.
  const browser = await openBrowserRelay({
    port: settings.browserPort,
    onProblem: (text) => log.error(text),
  });
  await listen(control, settings.controlPort);
  await listen(front.server, settings.frontPort);

  return {
    async close(deadlineMs) {
      await session?.close(deadlineMs);
      front.close();
      browser.close();
      control.closeAllConnections();
      control.close();
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, ANY_ADDRESS);
  await once(server, "listening");
}
