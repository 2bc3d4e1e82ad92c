/** What follows each move of an agent's life and each status: who is told, what is looked at next. */
import type { BrowserRoom } from "../browser/room.ts";
import type { ChannelsRoom } from "../channels/channels.ts";
import type { DevicesRoom } from "../devices/room.ts";
import type { Logger } from "../logger.ts";
import type { AgentLife } from "./agent-life.ts";
import type { DueRun } from "./due-run.ts";
import { isLive } from "./lifecycle.ts";
import type { StatusBoard } from "./status-board.ts";
import type { Wakefulness } from "./wakefulness.ts";

export interface AftermathParts {
  agentId: string;
  life: AgentLife;
  wakefulness: Wakefulness;
  due: DueRun;
  board: StatusBoard;
  channels: ChannelsRoom;
  devices: DevicesRoom;
  browser: BrowserRoom;
  log: Logger;
  /** Keeps the Durable Object up for what nobody waits for. */
  waitUntil(work: Promise<unknown>): void;
}

export class Aftermath {
  readonly #parts: AftermathParts;
  /** The latest start and phase that were seen to. */
  #seenTo = "";

  constructor(parts: AftermathParts) {
    this.#parts = parts;
  }

  follow(): void {
    const { life, wakefulness, due, board, channels } = this.#parts;
    const { supervisor } = life;
    const { phase, startGeneration } = life.life;
    if (wakefulness.working) wakefulness.touch(Date.now());
    if (supervisor?.keptMark !== undefined) {
      channels.kept(supervisor.startGeneration, supervisor.keptMark);
    }
    due.observe(supervisor?.nextDue);
    if (phase === "ready") channels.attend();
    board.tell();
    const moment = `${startGeneration} ${phase}`;
    if (moment === this.#seenTo) return;
    this.#seenTo = moment;
    this.#newPhase();
  }

  #newPhase(): void {
    const { agentId, life, wakefulness, channels, devices, browser, due, log, waitUntil } =
      this.#parts;
    const { phase, startGeneration, lastError } = life.life;
    log.info("agent phase", { agentId, phase, startGeneration, lastError });
    // Before the next alarm is reckoned: what waits wakes the agent and keeps it trying.
    if (phase === "failed") channels.lost();
    if (phase === "ready") due.ready();
    waitUntil(wakefulness.schedule());
    if (phase === "ready") waitUntil(devices.welcome());
    if (!isLive(phase)) waitUntil(browser.agentStopped());
  }
}
