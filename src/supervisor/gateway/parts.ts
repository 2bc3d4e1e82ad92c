import { setTimeout as sleep } from "node:timers/promises";
import type { BootDocument } from "../../protocol/boot.ts";
import type { DeliverRequest } from "../../protocol/control.ts";
import type { HomeWorker } from "../agent-home/home-client.ts";
import { openHomeWorker } from "../agent-home/home-client.ts";
import type { HomeReply, HomeTask, TakenMessage } from "../agent-home/task.ts";
import type { AgentProcess } from "../isolation/agent-process.ts";
import type { Isolation } from "../isolation/isolation.ts";
import type { LogRing } from "../log-ring.ts";
import type { Log } from "../log.ts";
import type { Operator } from "../operator/operator.ts";
import type { Settings } from "../settings.ts";
import { gatewayCommand } from "./command.ts";
import { levelOf, readLines } from "./output.ts";
import { isPortTaken } from "./health.ts";
import type { GatewayRunnerParts } from "./runner.ts";
import { localizeConfig, writeCaBundle, writeGatewayToken } from "./runtime-files.ts";
import { untilReady, untilSilent } from "./watch.ts";

export interface GatewayParts {
  document: BootDocument;
  settings: Settings;
  env: Record<string, string | undefined>;
  program: { node: string; bundle: string };
  isolation: Isolation;
  operator: Operator;
  /** Prepares the first start; it came up meanwhile. */
  homeWorker: Promise<HomeWorker>;
  ring: LogRing;
  log: Log;
  onChange(): void;
  /** Messages that the gateway took lately, this one or one of an earlier sandbox. */
  taken(): TakenMessage[];
  /** What was handed over as these events. */
  handedOver(eventIds: readonly string[]): DeliverRequest[];
  /** The gateway ended: it may lack what it took last. */
  ended(): void;
  /** The gateway is ready and lacks this; nothing, most of the time. */
  lost(requests: DeliverRequest[]): void;
}

const ERROR_TAIL_LINES = 30;
/** How far the gateway's marks may be ahead of what it has written: 2.2 s were seen, on a machine that was busy. */
const AHEAD_MS = 15_000;

/** What the runner does to the real gateway, its home and its files. */
export function gatewayRunnerParts(parts: GatewayParts): GatewayRunnerParts {
  const { document, settings, isolation, ring, log } = parts;
  const { home, gatewayPort } = settings;
  const config = localizeConfig(document.gatewayConfig, settings);
  let configIsNew = false;
  let firstLine = 0;
  let waiting: Promise<HomeWorker> | undefined = parts.homeWorker;
  /** Since when the gateway's marks may be ahead; what was restored is of any age. */
  let aheadSince: number | undefined = 0;
  let heardAt: number | undefined;
  /** Held here from the moment it is known: until the gateway is ready, it may be forgotten everywhere else. */
  const lost: DeliverRequest[] = [];

  async function inHome(task: HomeTask): Promise<HomeReply> {
    const opened = waiting ?? openHomeWorker(isolation, home, parts.program);
    waiting = undefined;
    const reply = await (await opened).perform(task);
    if (!reply.ok) log.error(reply.message);
    return reply;
  }

  function keepOutput(gateway: AgentProcess): void {
    for (const stream of ["stdout", "stderr"] as const) {
      readLines(gateway[stream], (line) => ring.add("gateway", levelOf(line, stream), line));
    }
  }

  return {
    deadlineMs: document.gatewayDeadlineMs,
    now: () => Math.round(performance.now()),
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
    onChange: parts.onChange,
    tail: () => ring.tail("gateway", { lines: ERROR_TAIL_LINES, after: firstLine }),
    killAll: () => isolation.killAll(),
    untilReady: (signals) => untilReady(gatewayPort, parts.operator, signals),
    async untilSilent(signal) {
      heardAt = await untilSilent(gatewayPort, signal);
    },
    async prepare() {
      firstLine = ring.last();
      if (await isPortTaken(gatewayPort)) {
        return {
          ok: false,
          message: `another program listens on the gateway's port ${gatewayPort}`,
        };
      }
      isolation.prepare();
      writeGatewayToken(settings, isolation, document.gatewayToken);
      const ended = aheadSince === undefined ? {} : { ended: { aheadSince, taken: parts.taken() } };
      // Once: a look that fails must not fail every start after it.
      aheadSince = undefined;
      const reply = await inHome({ task: "prepare", home, config, ...ended });
      if (!reply.ok) return reply;
      lost.push(...parts.handedOver(reply.lost));
      for (const note of reply.notes) log.warn(note);
      configIsNew ||= reply.configWritten;
      return { ok: true };
    },
    async spawn() {
      const { env, program } = parts;
      const caBundle = writeCaBundle(settings);
      const { tmpDir } = isolation;
      const gateway = await isolation.spawn(
        gatewayCommand({ settings, env, node: program.node, tmpDir, caBundle }),
      );
      keepOutput(gateway);
      heardAt = undefined;
      void gateway.exited.then(() => {
        aheadSince = (heardAt ?? Date.now()) - AHEAD_MS;
        parts.ended();
      });
      return gateway;
    },
    async onReady() {
      parts.lost(lost.splice(0));
      if (!configIsNew) return;
      configIsNew = false;
      await inHome({ task: "accept", home });
    },
    async onRejected() {
      const reply = await inHome({ task: "revert", home });
      if (reply.ok && reply.configWritten) log.warn("put the last accepted config back");
    },
  };
}
