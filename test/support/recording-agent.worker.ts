/**
 * A Durable Object that records what it was asked, around the product's own rooms. What would need a
 * sandbox is answered from here.
 */
import { DurableObject } from "cloudflare:workers";
import { AgentBackups } from "../../src/worker/agent/backups/agent-backups.ts";
import { ImportsRoom } from "../../src/worker/agent/backups/imports-room.ts";
import { BackupsRoom } from "../../src/worker/agent/backups/room.ts";
import { RecordStore } from "../../src/worker/agent/store/records.ts";
import { migrate } from "../../src/worker/agent/store/schema.ts";
import { AppsRoom } from "../../src/worker/apps/room.ts";
import { AuditLog } from "../../src/worker/audit/log.ts";
import { Panic } from "../../src/worker/audit/panic.ts";
import { AuditRoom } from "../../src/worker/audit/room.ts";
import { SecurityRoom } from "../../src/worker/audit/security-room.ts";
import { Sessions } from "../../src/worker/audit/sessions.ts";
import { BROWSER_LIMITS, BrowserRoom } from "../../src/worker/browser/room.ts";
import { configOf, secretsOf } from "../../src/worker/config.ts";
import { redactor, withoutCredentials } from "../../src/worker/redaction.ts";
import { recorded } from "./recorded.worker.ts";
import { RecordingDevices, RecordingEgress } from "./recording-rooms.worker.ts";
import { SeededBackups } from "./seeded-backups.worker.ts";
import { seededChannelsRoom } from "./seeded-channels.worker.ts";
import { seededSpendRoom } from "./seeded-spend.worker.ts";

const READY = {
  agentId: "main",
  revisions: { devices: 1, audit: 1 },
  kept: false,
  channels: { waiting: 0, dead: 0 },
  phase: "ready",
  since: 0,
  startGeneration: 1,
  timings: [
    { phase: "starting", ms: 400 },
    { phase: "booting", ms: 9000 },
  ],
  sleepAfter: 600_000,
  supervisor: {
    protocol: 1,
    agentId: "main",
    startGeneration: 1,
    gateway: { state: "ready", restarts: 0, readyMs: 9000, version: "2026.9.6" },
    isolation: "userns",
    memory: { supervisor: 61_000_000, gateway: 840_000_000 },
    uptimeMs: 7_510_000,
    connections: 2,
    busy: false,
  },
};

export class Agent extends DurableObject {
  #calls = [];
  #writes = 0;
  #watchers = new Set();
  #revisions = { devices: 1, audit: 1, backups: 1 };
  #life = { ...READY, since: Date.now() - 7_510_000 };
  #panic;
  #rooms;
  #spend;
  #channels;
  /** The weeks behind the agent, when a bucket is bound. */
  #kept;

  constructor(ctx, env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    migrate(sql);
    ctx.blockConcurrencyWhile(async () => {
      this.#spend = await seededSpendRoom(sql);
      if (env.BACKUPS !== undefined) {
        this.#kept = await SeededBackups.open(sql, env, () => this.#changed("backups"));
      }
      this.#rooms = this.#openRooms(sql, env);
    });
  }

  #openRooms(sql, env) {
    const parsed = configOf(env);
    const redact = redactor(parsed.ok ? secretsOf(parsed.config) : []);
    const records = new RecordStore(sql, "main");
    this.#panic = new Panic(records);
    const log = new AuditLog(sql, "main", (text) => withoutCredentials(redact(text)));
    const audit = new AuditRoom(log, () => {
      this.#writes += 1;
      this.#changed("audit");
    });
    const apps = new AppsRoom({
      sql,
      agentId: "main",
      now: Date.now,
      origins: () => (env.WORKER_URL ? [env.WORKER_URL] : []),
      record: (entry) => audit.note(entry),
      vouched: () => this.#saw("vouched"),
      removed: async (deviceId) => this.#saw("appRemoved", deviceId),
      changed: () => this.#changed("devices"),
    });
    const security = new SecurityRoom({
      ...{ panic: this.#panic, audit, apps },
      sessions: new Sessions(sql, "main", records),
      endGuests: () => {},
      disconnectAll: async () => ({ ok: true }),
      destroy: async () => ({ ok: true }),
      changed: () => this.#changed("audit"),
    });
    const { secret, dayCapMs } = parsed.ok ? parsed.config.browser : {};
    const browser = new BrowserRoom({
      sql,
      agentId: "main",
      binding: env.BROWSER,
      startGeneration: () => 3,
      outside: secret !== undefined,
      dayCapMs,
      limits: BROWSER_LIMITS,
      now: Date.now,
    });
    const backups = this.#kept?.room ?? new AgentBackups(env, "main", records);
    const power = { notReady: () => undefined, rewritten: (change) => this.#rewritten(change) };
    const note = (name, ...args) => this.#saw(name, ...args);
    return {
      ...{ audit, apps, browser, security },
      noted: {
        devices: recorded("devices", new RecordingDevices(() => this.#changed("devices")), note),
        egress: recorded("egress", new RecordingEgress(), note, ["refusedHosts"]),
        security: recorded("security", security, note, ["overview", "noteSession"]),
        backups: recorded("backups", new BackupsRoom(backups, power), note, ["list"]),
        imports: recorded("imports", new ImportsRoom(backups.imports, power), note, ["list"]),
      },
    };
  }

  get spend() {
    return this.#spend;
  }
  /** Begun by whoever asks first: its letters are tried again by the clock. */
  get channels() {
    this.#channels ??= seededChannelsRoom({
      sql: this.ctx.storage.sql,
      waitUntil: (work) => this.ctx.waitUntil(work),
      said: (...args) => void this.#saw("say", ...args),
    });
    return this.#channels;
  }
  get apps() {
    return this.#rooms.apps;
  }
  get browser() {
    return this.#rooms.browser;
  }
  get audit() {
    return this.#rooms.audit;
  }
  get security() {
    return this.#rooms.noted.security;
  }
  get devices() {
    return this.#rooms.noted.devices;
  }
  get egress() {
    return this.#rooms.noted.egress;
  }
  get backups() {
    return this.#rooms.noted.backups;
  }
  get imports() {
    return this.#rooms.noted.imports;
  }

  /** What was asked since the last call. */
  taken() {
    return this.#calls.splice(0);
  }
  /** How often something was written to the audit log. */
  written() {
    return this.#writes;
  }
  /** Into another phase, as a test wants to see it. */
  become(change) {
    const kept = Object.entries({ ...this.#life, ...change }).filter(([, value]) => value !== null);
    this.#life = Object.fromEntries(kept);
    this.#tellAll();
  }

  async fetch(request) {
    const url = new URL(request.url);
    const { headers } = request;
    this.#saw("fetch", {
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(headers),
      body: await request.text(),
    });
    const issuedAt = headers.get("x-moltworker-session");
    const began = issuedAt === null ? undefined : Number(issuedAt);
    if (!this.#rooms.security.admits(began, headers.get("x-moltworker-app") ?? undefined)) {
      return new Response(null, { status: 401, headers: { "x-moltworker-session-over": "1" } });
    }
    if (headers.get("upgrade") === "websocket") {
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      server.addEventListener("message", ({ data }) => server.send(data));
      return new Response(null, { status: 101, webSocket: client });
    }
    if (url.pathname === "/_moltworker/events") {
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      this.#watchers.add(writer);
      writer.closed.catch(() => this.#watchers.delete(writer));
      this.#tell(writer);
      return new Response(readable, { headers: { "Content-Type": "text/event-stream" } });
    }
    return new Response("from the agent", { headers: { "X-From": "agent" } });
  }

  status() {
    this.#saw("status");
    return {
      agentId: "main",
      revisions: { devices: 1, audit: 1 },
      kept: false,
      channels: { waiting: 0, dead: 0 },
      phase: "stopped",
      since: 0,
      startGeneration: 0,
      timings: [],
      sleepAfter: "never",
    };
  }
  start() {
    return this.#saw("start");
  }
  stop() {
    return this.#saw("stop");
  }
  restart() {
    this.#saw("restart");
    return { ok: false, reason: "not running" };
  }
  session(issuedAt, app) {
    this.#saw("session");
    if (!this.#rooms.security.admits(issuedAt, app)) return undefined;
    return { agentId: "main", gatewayToken: "inner-</script>-token-0123456789abcdef" };
  }
  report(...args) {
    this.#saw("report", ...args);
    return args[1] === "c".repeat(32) ? { ok: true } : { ok: false, reason: "token" };
  }
  setSleepAfter(sleepAfter) {
    this.#saw("setSleepAfter", sleepAfter ?? null);
    this.#life = { ...this.#life, sleepAfter: sleepAfter ?? "never" };
    this.#tellAll();
    return { ok: true };
  }
  logs(query) {
    this.#saw("logs", query);
    const lines = [
      { n: 1, at: 1_800_000_000_000, source: "gateway", level: "info", text: "gateway ready <b>" },
      { n: 2, at: 1_800_000_001_000, source: "gateway", level: "warn", text: "telegram is slow" },
      { n: 3, at: 1_800_000_002_000, source: "supervisor", level: "info", text: "booted" },
    ];
    return lines.filter(({ n, source }) => source === query.source && n > (query.after ?? 0));
  }
  processes() {
    return [{ pid: 1, name: "node", rss: 1, cpuSeconds: 0 }];
  }

  #saw(name, ...args) {
    this.#calls.push({ name, args });
    return { ok: true };
  }
  #rewritten(change) {
    return this.#kept.rewritten(change, (phase) => {
      this.#life = { ...this.#life, phase, since: Date.now() };
      this.#changed("backups");
    });
  }
  #present() {
    const kept = this.#kept;
    return {
      ...this.#life,
      revisions: this.#revisions,
      panic: this.#panic.held,
      ...(kept === undefined
        ? {}
        : { kept: true, startGeneration: kept.startGeneration, ...kept.room.health() }),
    };
  }
  #tell(writer) {
    const text = `data: ${JSON.stringify(this.#present())}\n\n`;
    writer.write(new TextEncoder().encode(text)).catch(() => this.#watchers.delete(writer));
  }
  #tellAll() {
    for (const writer of this.#watchers) this.#tell(writer);
  }
  #changed(what) {
    this.#revisions = { ...this.#revisions, [what]: this.#revisions[what] + 1 };
    this.#tellAll();
  }
}
