/**
 * The Durable Object of one agent: owns its sandbox, its life and its records, and passes requests
 * to it. Everything here may be called only by the Worker, which has checked who is asking.
 *
 * Fails closed: a report without the present start's token is refused, and so is every request that
 * arrives while the gateway is not ready and cannot be made so.
 */
import { DurableObject } from "cloudflare:workers";
import type { AdminAudit, AdminSecurity } from "../../protocol/admin.ts";
import type { SleepAfter } from "../../protocol/agent.ts";
import type { BootDocument } from "../../protocol/boot.ts";
import type { LogLine, ProcessInfo, Report } from "../../protocol/control.ts";
import { CHANNEL_SOCKET_HEADER, CONTROL_PROTOCOL, SANDBOX_PORTS } from "../../protocol/names.ts";
import type { ImportView } from "../../protocol/import.ts";
import type { SessionReply } from "../../protocol/session.ts";
import { APP_HEADER, SESSION_HEADER, SESSION_OVER_HEADER } from "../access/session.ts";
import { sameSecret } from "../access/token.ts";
import type {
  AgentCalls,
  AgentStatus,
  BackupsReply,
  DevicesReply,
  Done,
  ExportPlanReply,
  NewAuditEntry,
  RefusedHost,
  SessionNote,
} from "../agent-calls.ts";
import type { SpendRoom } from "../ai/ledger/spend-room.ts";
import { AppsRoom } from "../apps/room.ts";
import { AuditLog } from "../audit/log.ts";
import { Panic } from "../audit/panic.ts";
import { Sessions } from "../audit/sessions.ts";
import type { ImportSource } from "../backups/imports.ts";
import type { BrowserRoom } from "../browser/room.ts";
import type { Answer } from "../backups/ledger.ts";
import type { BackupAnswer, BackupCall, BackupCaller } from "../backups/calls.ts";
import type { ChannelsRoom } from "../channels/channels.ts";
import type { Delivered, Delivery } from "../channels/channel.ts";
import { type Config, configOf, secretsOf } from "../config.ts";
import type { Env } from "../env.ts";
import { createLogger } from "../logger.ts";
import { redactor, withoutCredentials } from "../redaction.ts";
import { AgentBackups, noBucket } from "./agent-backups.ts";
import { AgentLife } from "./agent-life.ts";
import { type Budget, BUDGET, messageOf } from "./budget.ts";
import { ControlPort } from "./control.ts";
import { Devices } from "./devices.ts";
import { Doorway } from "./doorway.ts";
import { DueRun } from "./due-run.ts";
import { gatewayConfig } from "./gateway-config.ts";
import { isLive } from "./lifecycle.ts";
import { openBrowserRoom, openChannelsRoom, openSpendRoom } from "./open-rooms.ts";
import { outboundFor } from "./outbound-binding.ts";
import { refuseRunning } from "./proxy.ts";
import { refusal } from "./refusals.ts";
import { Sandbox } from "./sandbox.ts";
import { AgentSettings } from "./settings.ts";
import type { StartResult } from "./start.ts";
import { StatusBoard } from "./status-board.ts";
import { LifeStore } from "./store/life.ts";
import { RecordStore } from "./store/records.ts";
import { migrate } from "./store/schema.ts";
import { newToken } from "./tokens.ts";
import { approveVouched } from "./vouched-devices.ts";
import { Wakefulness } from "./wakefulness.ts";

const EVENTS_PATH = "/_moltworker/events";
const STATUS_EVENTS = 30;
const HELD = "The panic button holds this agent. An admin can open it again on the admin page.";
/** Unrecorded devices named in the events since the Durable Object woke; they ask every second. */
const MAX_FLAGGED = 100;

export class Agent extends DurableObject<Env> implements AgentCalls {
  readonly #agentId: string;
  readonly #budget: Budget;
  readonly #store: LifeStore;
  readonly #records: RecordStore;
  readonly #settings: AgentSettings;
  readonly #sandbox: Sandbox;
  readonly #control: ControlPort;
  readonly #devices: Devices;
  readonly #backups: AgentBackups;
  readonly #life: AgentLife;
  readonly #audit: AuditLog;
  readonly #sessions: Sessions;
  readonly #panic: Panic;
  readonly #spend: SpendRoom;
  readonly #browser: BrowserRoom;
  readonly #apps: AppsRoom;
  readonly #channels: ChannelsRoom;
  readonly #due: DueRun;
  readonly #wakefulness: Wakefulness;
  readonly #board: StatusBoard;
  readonly #doorway: Doorway;
  readonly #flagged = new Set<string>();
  readonly #gatewayToken: string;
  #controlToken: string | undefined;
  #scheduledFor = "";
  #adoption: Promise<void> | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { container, id } = ctx;
    if (container === undefined) throw new Error("The Durable Object has no container.");
    if (id.name === undefined) throw new Error("An agent is addressed by its name.");
    this.#agentId = id.name;
    this.#budget = this.budget();
    migrate(ctx.storage.sql);
    this.#store = new LifeStore(ctx.storage.sql, this.#agentId);
    this.#records = new RecordStore(ctx.storage.sql, this.#agentId);
    this.#settings = new AgentSettings(this.#records);
    const parsed = configOf(env);
    const redact = redactor(parsed.ok ? secretsOf(parsed.config) : []);
    this.#audit = new AuditLog(ctx.storage.sql, this.#agentId, (text) =>
      withoutCredentials(redact(text)),
    );
    this.#sessions = new Sessions(ctx.storage.sql, this.#agentId, this.#records);
    this.#panic = new Panic(this.#records);
    const surroundings = { ctx, env, agentId: this.#agentId };
    this.#spend = openSpendRoom(surroundings, {
      tellOwner: (text) => this.#channels.tellOwner(text),
      changed: () => this.#board.changed("spend"),
    });
    this.#browser = openBrowserRoom(surroundings, () => this.#life.life.startGeneration);
    this.#apps = this.#openApps();
    const stored = this.#store.read(Date.now(), newToken);
    this.#gatewayToken = stored.gatewayToken;
    this.#controlToken = stored.controlToken;
    const outbound = (generation: number) => outboundFor(ctx.exports, this.#agentId, generation);
    this.#sandbox = new Sandbox(container, outbound, this.#budget);
    const controlPort = this.#sandbox.port(SANDBOX_PORTS.control);
    this.#control = new ControlPort(controlPort, this.#budget, () => this.#controlToken);
    this.#devices = new Devices(this.#control, this.#records);
    this.#backups = new AgentBackups(env, this.#agentId, this.#records, this.#control, () =>
      this.#board.changed("backups"),
    );
    this.#channels = openChannelsRoom(surroundings, {
      innerToken: this.#gatewayToken,
      readyStart: () => this.#readyStart(),
      wake: () => this.#wakeForChannels(),
      post: (delivery) => this.#post(delivery),
      mark: async () => {
        const mark = await this.#control.mark();
        return mark.ok ? mark.value : undefined;
      },
      call: (request) => this.#control.rpc(request),
      touch: () => this.#touch(),
      alert: (text) => this.#records.note("channel", text, Date.now()),
      changed: () => this.#channelsChanged(),
    });
    this.#due = new DueRun(this.#records, () => this.#store.slowestStart());
    this.#life = new AgentLife(
      {
        sandbox: this.#sandbox,
        control: this.#control,
        store: this.#store,
        records: this.#records,
        budget: this.#budget,
        document: (generation) => this.#document(generation),
        claimBackups: (generation) => this.#backups.claim(generation),
        lost: (reason) => this.#backups.lost(reason),
        changed: () => this.#changed(),
      },
      stored.life,
    );
    const [store, life, channels] = [this.#store, this.#life, this.#channels];
    const sleepAfter = () => this.#sleepAfter();
    this.#wakefulness = new Wakefulness(
      {
        storage: ctx.storage,
        store,
        budget: this.#budget,
        life,
        channels,
        due: this.#due,
        panic: this.#panic,
        sleepAfter,
      },
      stored.lastActivity,
    );
    this.#board = new StatusBoard({
      agentId: this.#agentId,
      life,
      store,
      kept: env.BACKUPS !== undefined,
      backups: this.#backups,
      channels,
      sleepAfter,
    });
    this.#doorway = new Doorway({
      life,
      sandbox: this.#sandbox,
      front: this.#sandbox.port(SANDBOX_PORTS.front),
      budget: this.#budget,
      wake: () => this.#wake(),
      waitState: () => this.#board.waitState(),
      waitUntil: (work) => ctx.waitUntil(work),
    });
    this.#adoption = this.#life
      .adopt()
      .catch((error: unknown) => this.#life.fail(messageOf(error)))
      .finally(() => {
        this.#adoption = undefined;
        this.#channels.attend();
        ctx.waitUntil(this.#wakefulness.schedule());
      });
    ctx.waitUntil(this.#adoption);
  }

  /** The waits of this agent's life. */
  protected budget(): Budget {
    return BUDGET;
  }

  override async fetch(request: Request): Promise<Response> {
    const socket = request.headers.get(CHANNEL_SOCKET_HEADER);
    if (socket !== null) return this.#channelSocket(request, socket);
    this.#learnOrigin(request);
    const [began, app] = [sessionBegan(request), appOf(request)];
    if (!this.#admits(began, app)) return sessionOver();
    if (new URL(request.url).pathname === EVENTS_PATH) {
      return this.#board.follow(began !== undefined || app !== undefined);
    }
    const refused = refuseRunning(request);
    if (refused !== undefined) return refused;
    if (this.#panic.held !== undefined) return refusal(503, "held", HELD);
    this.#touch();
    if (this.#adoption !== undefined) await this.#adoption;
    this.#life.reconcile();
    return this.#doorway.answer(request);
  }

  get spend(): SpendRoom {
    return this.#spend;
  }

  get browser(): BrowserRoom {
    return this.#browser;
  }

  get apps(): AppsRoom {
    return this.#apps;
  }

  get channels(): ChannelsRoom {
    return this.#channels;
  }

  override async alarm(): Promise<void> {
    if (this.#adoption !== undefined) await this.#adoption;
    this.#life.reconcile();
    await this.#life.poll();
    if (isLive(this.#life.phase) && this.#sandbox.running) await this.#sandbox.holdAwake();
    if ((this.#channels.tendAt ?? Number.POSITIVE_INFINITY) <= Date.now()) {
      await this.#channels.tend();
    }
    const next = this.#wakefulness.next();
    if (next.alarmAt !== undefined) await this.ctx.storage.setAlarm(next.alarmAt);
    if (next.act === "start") {
      const { phase } = this.#life;
      if (phase === "stopped" && !this.#channels.wakeful) this.#due.woke(Date.now());
      await this.#wake();
    }
    if (next.act === "drain") await this.#sleep();
  }

  /** Only an agent whose state is kept may sleep; one that became active meanwhile stays. */
  async #sleep(): Promise<void> {
    if (this.#life.phase === "ready") {
      const kept = await this.#backups.suspend();
      const still = this.#wakefulness.next().act === "drain";
      if (kept.ok && !still) await this.#control.resume();
      if (!kept.ok || !still) {
        return this.ctx.storage.setAlarm(Date.now() + this.#budget.sleepRetry);
      }
    }
    await this.#life.drain();
  }

  async status(): Promise<AgentStatus> {
    this.#life.reconcile();
    return { ...this.#board.status(), events: this.#records.events(STATUS_EVENTS) };
  }

  async start(origin?: string): Promise<Done> {
    if (origin !== undefined) this.#settings.learnOrigin(origin);
    this.#touch();
    if (this.#adoption !== undefined) await this.#adoption;
    this.#life.reconcile();
    return this.#wake();
  }

  /** Refused while the state could not be kept: the panic button and `shutDown` do not wait for that. */
  async stop(): Promise<Done> {
    if (this.#adoption !== undefined) await this.#adoption;
    const unkept = this.#life.phase === "ready" ? await this.#backups.unkept() : undefined;
    if (unkept === undefined) return this.shutDown();
    const reason = `Not stopped, because the present state is not kept yet: ${unkept}.`;
    return { ok: false, reason };
  }

  /** The end of everything around the agent: what is not kept by now stays on the disk, if there is one. */
  async shutDown(): Promise<Done> {
    if (this.#adoption !== undefined) await this.#adoption;
    await this.#life.drain();
    const { phase } = this.#life;
    return phase === "stopped" ? { ok: true } : { ok: false, reason: `The agent is ${phase}.` };
  }

  async restart(): Promise<Done> {
    const stopped = await this.stop();
    return stopped.ok ? this.start() : stopped;
  }

  async session(issuedAt?: number, app?: string): Promise<SessionReply | undefined> {
    if (!this.#admits(issuedAt, app)) return undefined;
    return { agentId: this.#agentId, gatewayToken: this.#gatewayToken };
  }

  async devices(): Promise<DevicesReply> {
    return this.#notReady() ?? this.#devices.list(Date.now());
  }

  async approveDevice(deviceId: string, by: string): Promise<Done> {
    return this.#notReady() ?? this.#changing(this.#devices.approve(deviceId, by, Date.now()));
  }

  async rejectDevice(deviceId: string, by: string): Promise<Done> {
    this.#apps.settle(deviceId);
    return this.#notReady() ?? this.#changing(this.#devices.reject(deviceId, by, Date.now()));
  }

  async renameDevice(deviceId: string, name: string): Promise<Done> {
    return this.#notReady() ?? this.#changing(this.#devices.rename(deviceId, name));
  }

  async removeDevice(deviceId: string): Promise<Done> {
    this.#apps.settle(deviceId);
    const live = this.#life.phase === "ready";
    return this.#changing(this.#devices.remove(deviceId, Date.now(), live));
  }

  async report(report: Report, controlToken: string): Promise<Done> {
    if (!(await sameSecret(controlToken, this.#controlToken ?? ""))) {
      return { ok: false, reason: "wrong-token" };
    }
    const generation =
      report.kind === "status" ? report.status.startGeneration : report.startGeneration;
    const { startGeneration, phase } = this.#life.life;
    if (generation !== startGeneration || !isLive(phase)) {
      return { ok: false, reason: "stale-generation" };
    }
    switch (report.kind) {
      case "status":
        this.#life.observe(report.status);
        break;
      case "unrecorded-device":
        this.#flag(report.deviceId);
        break;
      case "pairing":
        this.#board.changed("devices");
        this.ctx.waitUntil(this.#approveVouched());
        break;
    }
    return { ok: true };
  }

  async backup(caller: BackupCaller, call: BackupCall): Promise<BackupAnswer> {
    const { startGeneration, phase } = this.#life.life;
    if (!(await sameSecret(caller.token, this.#controlToken ?? ""))) {
      return { ok: false, reason: "unauthorised", message: "That is not the control token." };
    }
    if (caller.startGeneration !== startGeneration || (!isLive(phase) && phase !== "draining")) {
      return { ok: false, reason: "stale", message: "That start is over." };
    }
    return this.#backups.answer(startGeneration, call);
  }

  async backups(): Promise<BackupsReply> {
    return this.#backups.list();
  }

  async backUpNow(): Promise<Done & { generation?: number }> {
    return this.#notReady() ?? this.#backups.backUpNow();
  }

  async restoreBackup(generation: number): Promise<Done> {
    return this.#rewritten(() => this.#backups.restoreTo(generation));
  }

  async startAfresh(): Promise<Done> {
    return this.#rewritten(() => this.#backups.startAfresh());
  }

  async verifyBackup(which?: number | "all"): Promise<Done> {
    return this.#notReady() ?? this.#backups.verify(which);
  }

  async pruneBackups(): Promise<Done> {
    return this.#backups.prune();
  }

  async exportPlan(generation: number): Promise<ExportPlanReply> {
    return this.#backups.exportPlan(generation);
  }

  async takeRecoveryKit(): Promise<Done> {
    return this.#backups.takeRecoveryKit();
  }

  async imports(): Promise<Answer<ImportView[]>> {
    return this.#backups.imports?.list() ?? noBucket();
  }

  async beginImport(name: string, bytes: number): Promise<Answer<ImportView>> {
    return this.#backups.imports?.begin(name, bytes) ?? noBucket();
  }

  async importPart(id: string, n: number, size: number): Promise<Answer<{ key: string }>> {
    return this.#backups.imports?.part(id, n, size) ?? noBucket();
  }

  async importPartStored(id: string, n: number): Promise<Answer<ImportView>> {
    return this.#backups.imports?.stored(id, n) ?? noBucket();
  }

  async importSource(id: string): Promise<Answer<ImportSource>> {
    return this.#backups.imports?.source(id) ?? noBucket();
  }

  async applyImport(id: string): Promise<Done> {
    const applied = this.#backups.imports?.apply(id) ?? noBucket();
    if (!applied.ok) return { ok: false, reason: applied.message };
    return this.#rewritten(async () => ({ ok: true }));
  }

  async dropImport(id: string): Promise<Done> {
    const dropped = (await this.#backups.imports?.drop(id)) ?? noBucket();
    return dropped.ok ? { ok: true } : { ok: false, reason: dropped.message };
  }

  async lookAfter(): Promise<void> {
    this.#life.reconcile();
    await this.#backups.lookAfter(this.#life.supervisor, Date.now());
    this.ctx.waitUntil(this.#backups.drill(this.#life.supervisor, Date.now()));
    await this.#browser.lookAfter();
    this.#channels.attend();
    await this.#wakefulness.schedule();
  }

  async record(entries: NewAuditEntry[]): Promise<void> {
    this.#audit.record(entries, Date.now());
    this.#board.changed("audit");
  }

  async audit(query: { before?: number; limit: number }): Promise<AdminAudit> {
    return this.#audit.read(query);
  }

  async noteSession(session: SessionNote): Promise<void> {
    this.#sessions.note(session, Date.now());
    const { from, browser } = session;
    this.#audit.record([{ kind: "sign-in", who: "", from, detail: browser, times: 1 }], Date.now());
    this.#board.changed("audit");
  }

  async security(): Promise<AdminSecurity> {
    const { held } = this.#panic;
    const sessions = this.#sessions.list(Date.now());
    return { sessions, ...(held === undefined ? {} : { panic: held }) };
  }

  /** Sockets that are open already end as well: they were let in by a session. */
  async endSessions(): Promise<Done> {
    this.#sessions.endAll(Date.now());
    this.#apps.removeAll();
    this.#board.endGuests();
    this.#board.changed("audit");
    return this.#life.phase === "ready" ? this.#devices.disconnectAll() : { ok: true };
  }

  /** Held first: whatever happens to the rest, nothing starts again and no session counts. */
  async panic(by: string): Promise<Done> {
    this.#panic.hold({ at: Date.now(), by });
    this.#sessions.endAll(Date.now());
    this.#apps.removeAll();
    this.#board.endGuests();
    this.#board.changed("audit");
    await this.#life.drain(true);
    // Also one that no phase knows of: with the sandbox goes its way out.
    const destroyed = await this.#sandbox.destroy();
    if (!destroyed.ok) return destroyed;
    const { phase } = this.#life;
    return phase === "stopped" ? { ok: true } : { ok: false, reason: `The agent is ${phase}.` };
  }

  async panicOver(): Promise<Done> {
    this.#panic.release();
    this.#board.changed("audit");
    return { ok: true };
  }

  async countRefused(host: string, times: number): Promise<void> {
    this.#records.countRefused(host.slice(0, 253), times, Date.now());
    this.#board.changed("egress");
  }

  async refusedHosts(): Promise<RefusedHost[]> {
    return this.#records.refusedHosts();
  }

  async logs(query: { source: LogLine["source"]; after?: number }): Promise<LogLine[]> {
    return orThrow(await this.#control.logs(query.source, query.after));
  }

  async processes(): Promise<ProcessInfo[]> {
    return orThrow(await this.#control.processes());
  }

  /** Overrides the configuration's `SANDBOX_SLEEP_AFTER`, or follows it again; counts at once. */
  async setSleepAfter(sleepAfter: SleepAfter | undefined): Promise<Done> {
    this.#settings.sleepAfter = sleepAfter;
    this.#board.tell();
    await this.#wakefulness.schedule();
    return { ok: true };
  }

  /** Between two sandboxes: the one before has made its last backup, the next begins from `change`. */
  async #rewritten(change: () => Promise<Done>): Promise<Done> {
    const wasLive = isLive(this.#life.phase);
    if (this.#life.phase === "ready") {
      const kept = await this.#backups.backUpNow();
      if (!kept.ok) return { ok: false, reason: `The present state is not kept: ${kept.reason}` };
    }
    const stopped = await this.stop();
    if (!stopped.ok) return stopped;
    const changed = await change();
    if (!wasLive) return changed;
    const started = await this.start();
    return changed.ok ? started : changed;
  }

  async #wake(): Promise<StartResult> {
    if (this.#panic.held !== undefined) return { ok: false, reason: HELD };
    const parsed = configOf(this.env);
    if (parsed.ok) return this.#life.want();
    const names = parsed.problems.map(({ name }) => name).join(", ");
    return { ok: false, reason: `The configuration has to be mended first: ${names}.` };
  }

  #document(startGeneration: number): BootDocument {
    const parsed = configOf(this.env);
    if (!parsed.ok) throw new Error("The configuration changed during a start.");
    this.#controlToken = newToken();
    this.#store.setControlToken(this.#controlToken);
    return {
      protocol: CONTROL_PROTOCOL,
      agentId: this.#agentId,
      startGeneration,
      controlToken: this.#controlToken,
      gatewayToken: this.#gatewayToken,
      gatewayConfig: gatewayConfig({
        models: { ...parsed.config.models, primary: this.#spend.primary },
        workerOrigins: this.#origins(parsed.config),
        sleeps: this.#sleepAfter() !== "never",
        browser: this.env.BROWSER === undefined ? undefined : parsed.config.browser.hosts,
        channels: parsed.config.channels,
      }),
      approvedDevices: this.#records.devices().map(({ deviceId }) => deviceId),
      gatewayDeadlineMs: this.#budget.gateway,
    };
  }

  #openApps(): AppsRoom {
    return new AppsRoom({
      sql: this.ctx.storage.sql,
      agentId: this.#agentId,
      now: Date.now,
      origins: () => {
        const parsed = configOf(this.env);
        return parsed.ok ? this.#origins(parsed.config) : [];
      },
      record: (entry) => this.#note(entry),
      vouched: () => this.ctx.waitUntil(this.#approveVouched()),
      removed: (deviceId) => this.#appRemoved(deviceId),
      changed: () => this.#board.changed("devices"),
    });
  }

  /** Sockets do not say by which credential they were let in: all end, and the others come back. */
  async #appRemoved(deviceId: string | undefined): Promise<Done> {
    this.#board.endGuests();
    const removed: Done = deviceId === undefined ? { ok: true } : await this.removeDevice(deviceId);
    if (this.#life.phase !== "ready") return removed;
    const ended = await this.#devices.disconnectAll();
    return removed.ok ? ended : removed;
  }

  async #approveVouched(): Promise<void> {
    if (this.#life.phase !== "ready") return;
    await approveVouched(this.#apps, this.#devices, (entry) => {
      this.#note(entry);
      this.#board.changed("devices");
    });
  }

  #admits(issuedAt: number | undefined, app: string | undefined): boolean {
    return this.#sessions.admits(issuedAt) && this.#apps.admits(app);
  }

  #readyStart(): number | undefined {
    const { phase, startGeneration } = this.#life.life;
    return phase === "ready" ? startGeneration : undefined;
  }

  /** A failed start is tried again when it is due, not for each message. */
  async #wakeForChannels(): Promise<void> {
    if (this.#adoption !== undefined) await this.#adoption;
    this.#life.reconcile();
    const { phase, retryAt = 0 } = this.#life.life;
    if (phase === "failed" && retryAt > Date.now()) return this.#wakefulness.schedule();
    this.#touch();
    await this.#wake();
  }

  async #post(delivery: Delivery): Promise<Delivered> {
    const reply = await this.#control.deliver(delivery);
    if (!reply.ok) return { ok: false, reason: reply.reason };
    return reply.value.ok ? reply.value : { ok: false, reason: reply.value.message };
  }

  /** The sandbox's own socket to a chat platform; a sandbox of an earlier start gets none. */
  #channelSocket(request: Request, asked: string): Response {
    const [channel = "", generation] = asked.split(" ");
    const { startGeneration, phase } = this.#life.life;
    const current = Number(generation) === startGeneration && isLive(phase);
    const answer = current ? this.#channels.connect(channel, new URL(request.url)) : undefined;
    return answer ?? refusal(403, "no_socket", "This sandbox may not connect to the platform.");
  }

  #channelsChanged(): void {
    this.#board.changed("channels");
    this.ctx.waitUntil(this.#wakefulness.schedule());
  }

  #origins({ workerOrigins }: Config): readonly string[] {
    return workerOrigins.length > 0 ? workerOrigins : this.#settings.origins;
  }

  #learnOrigin({ headers }: Request): void {
    const origin = `${headers.get("x-moltworker-proto") ?? ""}://${headers.get("x-moltworker-host") ?? ""}`;
    if (URL.canParse(origin)) this.#settings.learnOrigin(new URL(origin).origin);
  }

  #flag(deviceId: string): void {
    if (this.#flagged.has(deviceId) || this.#flagged.size >= MAX_FLAGGED) return;
    this.#flagged.add(deviceId);
    const text = `The gateway let device ${deviceId} in, which no admin approved. It was refused.`;
    this.#records.note("unrecorded-device", text, Date.now());
    const kind = "device-unrecorded";
    this.#audit.record([{ kind, who: "", from: "", detail: deviceId, times: 1 }], Date.now());
    this.#board.changed("audit");
    this.#board.changed("devices");
  }

  #note(entry: NewAuditEntry): void {
    this.#audit.record([entry], Date.now());
    this.#board.changed("audit");
  }

  async #changing(work: Promise<Done>): Promise<Done> {
    const result = await work;
    this.#board.changed("devices");
    return result;
  }

  #notReady(): { ok: false; reason: string } | undefined {
    const { phase } = this.#life;
    return phase === "ready" ? undefined : { ok: false, reason: `The agent is ${phase}.` };
  }

  #sleepAfter(): SleepAfter {
    const parsed = configOf(this.env);
    return this.#settings.sleepAfter ?? (parsed.ok ? parsed.config.sleepAfter : "never");
  }

  /** After each move and each status: pages are told, and a new phase has its own next alarm. */
  #changed(): void {
    const { supervisor } = this.#life;
    const { phase, startGeneration, lastError } = this.#life.life;
    if (this.#wakefulness.working) this.#touch();
    if (supervisor?.keptMark !== undefined) {
      this.#channels.kept(supervisor.startGeneration, supervisor.keptMark);
    }
    this.#due.observe(supervisor?.nextDue);
    if (phase === "ready") this.#channels.attend();
    this.#board.tell();
    const moment = `${startGeneration} ${phase}`;
    if (moment === this.#scheduledFor) return;
    this.#scheduledFor = moment;
    const parsed = configOf(this.env);
    createLogger(parsed.ok ? secretsOf(parsed.config) : []).info("agent phase", {
      agentId: this.#agentId,
      phase,
      startGeneration,
      lastError,
    });
    this.ctx.waitUntil(this.#wakefulness.schedule());
    if (phase === "ready") this.ctx.waitUntil(this.#approveVouched());
    if (!isLive(phase)) this.ctx.waitUntil(this.#browser.agentStopped());
  }

  #touch(): void {
    this.#wakefulness.touch(Date.now());
  }
}

function orThrow<T>(reply: { ok: true; value: T } | { ok: false; reason: string }): T {
  if (reply.ok) return reply.value;
  throw new Error(reply.reason);
}

/** When the session that asks began, as the Worker read it from the cookie it verified. */
function sessionBegan({ headers }: Request): number | undefined {
  const text = headers.get(SESSION_HEADER);
  return text === null ? undefined : Number(text);
}

function appOf({ headers }: Request): string | undefined {
  return headers.get(APP_HEADER) ?? undefined;
}

function sessionOver(): Response {
  return new Response(null, { status: 401, headers: { [SESSION_OVER_HEADER]: "1" } });
}
