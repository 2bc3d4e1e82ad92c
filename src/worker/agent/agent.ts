/**
 * The Durable Object of one agent: owns its sandbox, its life and its records, and passes requests
 * to it. Everything here may be called only by the Worker, which has checked who is asking.
 *
 * Fails closed: a report without the present start's token is refused, and so is every request that
 * arrives while the gateway is not ready and cannot be made so.
 */
import { DurableObject } from "cloudflare:workers";
import type { SleepAfter } from "../../protocol/agent.ts";
import type { LogLine, ProcessInfo, Report } from "../../protocol/control.ts";
import { CHANNEL_SOCKET_HEADER } from "../../protocol/names.ts";
import type { SessionReply } from "../../protocol/session.ts";
import type { AgentCalls, AgentStatus } from "../agent-calls.ts";
import type { SpendRoom } from "../ai/ledger/spend-room.ts";
import type { AppsRoom } from "../apps/room.ts";
import type { AuditRoom } from "../audit/room.ts";
import type { SecurityRoom } from "../audit/security-room.ts";
import type { BackupAnswer, BackupCall, BackupCaller } from "../backups/calls.ts";
import type { BrowserRoom } from "../browser/room.ts";
import type { ChannelsRoom } from "../channels/channels.ts";
import type { DevicesRoom } from "../devices/room.ts";
import type { Done, Ended } from "../done.ts";
import type { EgressRoom } from "../egress/room.ts";
import type { Env } from "../env.ts";
import { assemble, type Parts } from "./assembly.ts";
import { appOf, sessionBegan, sessionOver } from "./caller.ts";
import type { ImportsRoom } from "./backups/imports-room.ts";
import type { BackupsRoom } from "./backups/room.ts";
import { type Budget, BUDGET } from "./budget.ts";
import { isLive } from "./lifecycle.ts";
import { HELD } from "./power.ts";
import { refuseRunning } from "./proxy.ts";
import { refusal } from "./refusals.ts";

const EVENTS_PATH = "/_moltworker/events";
const STATUS_EVENTS = 30;

export class Agent extends DurableObject<Env> implements AgentCalls {
  readonly #agentId: string;
  readonly #parts: Parts;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { container, id } = ctx;
    if (container === undefined) throw new Error("The Durable Object has no container.");
    if (id.name === undefined) throw new Error("An agent is addressed by its name.");
    this.#agentId = id.name;
    this.#parts = assemble({ ctx, env, agentId: id.name }, container, this.budget());
    const { power, wakefulness, rooms } = this.#parts;
    const adopted = power.adopt().finally(() => {
      rooms.channels.attend();
      ctx.waitUntil(wakefulness.schedule());
      ctx.waitUntil(power.goOn());
    });
    ctx.waitUntil(adopted);
  }

  /** The waits of this agent's life. */
  protected budget(): Budget {
    return BUDGET;
  }

  get spend(): SpendRoom {
    return this.#parts.rooms.spend;
  }

  get browser(): BrowserRoom {
    return this.#parts.rooms.browser;
  }

  get apps(): AppsRoom {
    return this.#parts.rooms.apps;
  }

  get channels(): ChannelsRoom {
    return this.#parts.rooms.channels;
  }

  get devices(): DevicesRoom {
    return this.#parts.rooms.devices;
  }

  get backups(): BackupsRoom {
    return this.#parts.rooms.backups;
  }

  get imports(): ImportsRoom {
    return this.#parts.rooms.imports;
  }

  get audit(): AuditRoom {
    return this.#parts.rooms.audit;
  }

  get security(): SecurityRoom {
    return this.#parts.rooms.security;
  }

  get egress(): EgressRoom {
    return this.#parts.rooms.egress;
  }

  override async fetch(request: Request): Promise<Response> {
    const { board, panic, power, wakefulness, doorway } = this.#parts;
    const socket = request.headers.get(CHANNEL_SOCKET_HEADER);
    if (socket !== null) return this.#channelSocket(request, socket);
    this.#learnOrigin(request);
    const [began, app] = [sessionBegan(request), appOf(request)];
    if (!this.security.admits(began, app)) return sessionOver();
    if (new URL(request.url).pathname === EVENTS_PATH) {
      return board.follow(began !== undefined || app !== undefined);
    }
    const refused = refuseRunning(request);
    if (refused !== undefined) return refused;
    if (panic.held !== undefined) return refusal(503, "held", HELD);
    wakefulness.touch(Date.now());
    await power.settle();
    return doorway.answer(request);
  }

  override async alarm(): Promise<void> {
    const { life, leftover, sandbox, power, wakefulness, due, alarm } = this.#parts;
    await power.settle();
    await leftover.end();
    await life.poll();
    if (isLive(life.phase) && sandbox.running) await sandbox.holdAwake();
    await this.devices.attend();
    // A platform that does not answer keeps no job and no retry waiting.
    if ((this.channels.tendAt ?? Number.POSITIVE_INFINITY) <= Date.now()) {
      this.ctx.waitUntil(this.channels.tend());
    }
    const next = wakefulness.next();
    if (next.alarmAt !== undefined) await alarm.set(next.alarmAt);
    if (next.act === "start") {
      if (life.phase === "stopped" && !this.channels.wakeful) due.woke(Date.now());
      await power.wake();
    }
    if (next.act === "drain") await power.sleep();
  }

  async lookAfter(): Promise<void> {
    const { life, backups, wakefulness } = this.#parts;
    life.reconcile();
    await backups.lookAfter(life.supervisor, Date.now());
    this.ctx.waitUntil(backups.drill(life.supervisor, Date.now()));
    await this.browser.lookAfter();
    this.channels.attend();
    await wakefulness.schedule();
  }

  async status(): Promise<AgentStatus> {
    const { life, board, records } = this.#parts;
    life.reconcile();
    return { ...board.status(), events: records.events(STATUS_EVENTS) };
  }

  async start(origin?: string): Promise<Done> {
    if (origin !== undefined) this.#parts.settings.learnOrigin(origin);
    return this.#parts.power.start();
  }

  async stop(): Promise<Ended> {
    return this.#parts.power.stop();
  }

  async shutDown(): Promise<Done> {
    return this.#parts.power.shutDown();
  }

  async restart(): Promise<Ended> {
    return this.#parts.power.restart();
  }

  async session(issuedAt?: number, app?: string): Promise<SessionReply | undefined> {
    if (!this.security.admits(issuedAt, app)) return undefined;
    return { agentId: this.#agentId, gatewayToken: this.#parts.documents.gatewayToken };
  }

  async report(report: Report, controlToken: string): Promise<Done> {
    const { life, board, documents } = this.#parts;
    if (!(await documents.isControlToken(controlToken)))
      return { ok: false, reason: "wrong-token" };
    const generation =
      report.kind === "status" ? report.status.startGeneration : report.startGeneration;
    const { startGeneration, phase } = life.life;
    if (generation !== startGeneration || !isLive(phase)) {
      return { ok: false, reason: "stale-generation" };
    }
    switch (report.kind) {
      case "status":
        life.observe(report.status);
        break;
      case "unrecorded-device":
        this.devices.flag(report.deviceId);
        break;
      case "pairing":
        board.changed("devices");
        this.ctx.waitUntil(this.devices.approveVouched());
        break;
    }
    return { ok: true };
  }

  async backup(caller: BackupCaller, call: BackupCall): Promise<BackupAnswer> {
    const { life, backups, documents } = this.#parts;
    const { startGeneration, phase } = life.life;
    if (!(await documents.isControlToken(caller.token))) {
      return { ok: false, reason: "unauthorised", message: "That is not the control token." };
    }
    if (caller.startGeneration !== startGeneration || (!isLive(phase) && phase !== "draining")) {
      return { ok: false, reason: "stale", message: "That start is over." };
    }
    return backups.answer(startGeneration, call);
  }

  async logs(query: { source: LogLine["source"]; after?: number }): Promise<LogLine[]> {
    return orThrow(await this.#parts.control.logs(query.source, query.after));
  }

  async processes(): Promise<ProcessInfo[]> {
    return orThrow(await this.#parts.control.processes());
  }

  async setSleepAfter(sleepAfter: SleepAfter | undefined): Promise<Done> {
    const { settings, board, wakefulness } = this.#parts;
    settings.setSleepAfter(sleepAfter);
    board.tell();
    await wakefulness.schedule();
    return { ok: true };
  }

  /** The sandbox's own socket to a chat platform; a sandbox of an earlier start gets none. */
  #channelSocket(request: Request, asked: string): Response {
    const [channel = "", generation] = asked.split(" ");
    const { startGeneration, phase } = this.#parts.life.life;
    const current = Number(generation) === startGeneration && isLive(phase);
    const answer = current ? this.channels.connect(channel, new URL(request.url)) : undefined;
    return answer ?? refusal(403, "no_socket", "This sandbox may not connect to the platform.");
  }

  #learnOrigin({ headers }: Request): void {
    const origin = `${headers.get("x-moltworker-proto") ?? ""}://${headers.get("x-moltworker-host") ?? ""}`;
    if (URL.canParse(origin)) this.#parts.settings.learnOrigin(new URL(origin).origin);
  }
}

function orThrow<T>(reply: { ok: true; value: T } | { ok: false; reason: string }): T {
  if (reply.ok) return reply.value;
  throw new Error(reply.reason);
}
