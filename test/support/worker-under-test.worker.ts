/**
 * The Worker's app around a Durable Object that only records what it was asked. The production and
 * the local compositions differ from it in their parts alone.
 */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { createApp } from "../../src/worker/app.ts";
import { closedAdmin } from "../../src/worker/access/admin.ts";
import { createAccessVerifier } from "../../src/worker/access/cloudflare-access/verifier.ts";
import { migrate } from "../../src/worker/agent/store/schema.ts";
import { AuditLog } from "../../src/worker/audit/log.ts";
import { redactor, withoutCredentials } from "../../src/worker/redaction.ts";
import { AppsRoom } from "../../src/worker/apps/room.ts";
import { configOf, secretsOf } from "../../src/worker/config.ts";
import { SeededBackups } from "./seeded-backups.worker.ts";
import { BROWSER_LIMITS, BrowserRoom } from "../../src/worker/browser/room.ts";
import { seededChannelsRoom } from "./seeded-channels.worker.ts";
import { seededSpendRoom } from "./seeded-spend.worker.ts";
import { facesByHost } from "../../src/worker/guard.ts";
import { localAdminVerifier } from "../../src/local/admin-login/verifier.ts";

export { AdminCodes } from "../../src/local/admin-login/codes.ts";
export { Outbound } from "../../src/worker/egress/outbound.ts";

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
  calls = [];
  sessions = [];
  endedAt = 0;
  watchers = new Set();
  revisions = { devices: 1, audit: 1, backups: 1 };
  life = { ...READY, since: Date.now() - 7_510_000 };

  constructor(ctx, env) {
    super(ctx, env);
    migrate(ctx.storage.sql);
    const parsed = configOf(env);
    const redact = redactor(parsed.ok ? secretsOf(parsed.config) : []);
    /** The product's own; what is written to it is kept apart from the calls that tests count. */
    this.log = new AuditLog(ctx.storage.sql, "main", (text) => withoutCredentials(redact(text)));
    ctx.blockConcurrencyWhile(async () => {
      this.spendRoom = await seededSpendRoom(ctx.storage.sql);
      if (env.BACKUPS === undefined) return;
      this.kept = await SeededBackups.open(ctx.storage.sql, env, () => this.changed("backups"));
    });
    const { secret, dayCapMs } = parsed.ok ? parsed.config.browser : {};
    this.browserRoom = new BrowserRoom({
      sql: ctx.storage.sql,
      agentId: "main",
      binding: env.BROWSER,
      startGeneration: () => 3,
      outside: secret !== undefined,
      dayCapMs,
      limits: BROWSER_LIMITS,
      now: Date.now,
    });
  }
  /** The product's own, around this object's records. */
  appsRoom = undefined;
  get apps() {
    this.appsRoom ??= new AppsRoom({
      sql: this.ctx.storage.sql,
      agentId: "main",
      now: Date.now,
      origins: () => (this.env.WORKER_URL ? [this.env.WORKER_URL] : []),
      record: (entry) => this.record([entry]),
      vouched: () => this.saw("vouched"),
      removed: (deviceId) => this.saw("appRemoved", deviceId),
      changed: () => this.changed("devices"),
    });
    return this.appsRoom;
  }
  get spend() {
    return this.spendRoom;
  }
  /** Begun by whoever asks first: its letters are tried again by the clock. */
  get channels() {
    this.channelsRoom ??= seededChannelsRoom({
      sql: this.ctx.storage.sql,
      waitUntil: (work) => this.ctx.waitUntil(work),
      said: (...args) => void this.saw("say", ...args),
    });
    return this.channelsRoom;
  }
  get browser() {
    return this.browserRoom;
  }

  saw(name, ...args) {
    this.calls.push({ name, args });
    return { ok: true };
  }
  taken() {
    return this.calls.splice(0);
  }

  async fetch(request) {
    const url = new URL(request.url);
    this.saw("fetch", {
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    });
    const issuedAt = request.headers.get("x-moltworker-session");
    if (issuedAt !== null && Number(issuedAt) <= this.endedAt) {
      return new Response(null, { status: 401, headers: { "x-moltworker-session-over": "1" } });
    }
    if (!this.apps.admits(request.headers.get("x-moltworker-app") ?? undefined)) {
      return new Response(null, { status: 401, headers: { "x-moltworker-session-over": "1" } });
    }
    if (request.headers.get("upgrade") === "websocket") {
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      server.addEventListener("message", ({ data }) => server.send(data));
      return new Response(null, { status: 101, webSocket: client });
    }
    if (url.pathname === "/_moltworker/events") {
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      this.watchers.add(writer);
      writer.closed.catch(() => this.watchers.delete(writer));
      this.tell(writer);
      return new Response(readable, { headers: { "Content-Type": "text/event-stream" } });
    }
    return new Response("from the agent", { headers: { "X-From": "agent" } });
  }
  present() {
    const { kept, revisions } = this;
    return {
      ...this.life,
      revisions,
      panic: this.held,
      ...(kept === undefined
        ? {}
        : { kept: true, startGeneration: kept.startGeneration, ...kept.room.health() }),
    };
  }
  tell(writer) {
    const text = `data: ${JSON.stringify(this.present())}\n\n`;
    writer.write(new TextEncoder().encode(text)).catch(() => this.watchers.delete(writer));
  }
  changed(what) {
    this.revisions = { ...this.revisions, [what]: this.revisions[what] + 1 };
    for (const writer of this.watchers) this.tell(writer);
  }
  /** How often something was written to the audit log. */
  writes = 0;
  written() {
    return this.writes;
  }
  record(entries) {
    this.writes += 1;
    this.log.record(entries, Date.now());
    this.changed("audit");
  }
  audit(query) {
    return this.log.read(query);
  }
  noteSession(session) {
    this.sessions.unshift(session);
    this.record([
      { kind: "sign-in", who: "", from: session.from, detail: session.browser, times: 1 },
    ]);
  }
  security() {
    return { sessions: this.sessions, ...(this.held ? { panic: this.held } : {}) };
  }
  endSessions() {
    this.endedAt = Date.now();
    this.sessions = [];
    this.apps.removeAll();
    return this.saw("endSessions");
  }
  panic(by) {
    this.held = { at: Date.now(), by };
    return this.saw("panic", by);
  }
  panicOver() {
    this.held = undefined;
    return this.saw("panicOver");
  }
  status() {
    this.saw("status");
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
    return this.saw("start");
  }
  stop() {
    return this.saw("stop");
  }
  restart() {
    this.saw("restart");
    return { ok: false, reason: "not running" };
  }
  session(issuedAt, app) {
    this.saw("session");
    if (!this.apps.admits(app)) return undefined;
    if (issuedAt !== undefined && issuedAt <= this.endedAt) return undefined;
    return { agentId: "main", gatewayToken: "inner-</script>-token-0123456789abcdef" };
  }
  devices() {
    this.saw("devices");
    const hostile = `<img src=x onerror="document.title='owned'">`;
    const known = {
      deviceId: "cd".repeat(32),
      name: "Laptop",
      platform: "linux",
      lastSeenAt: 1_800_000_000_000,
      recorded: true,
    };
    return {
      ok: true,
      pending: this.approved ? [] : [{ deviceId: "ab".repeat(32), name: hostile }],
      paired: this.approved
        ? [known, { deviceId: "ab".repeat(32), name: hostile, recorded: true }]
        : [known],
    };
  }
  approveDevice(...args) {
    this.approved = true;
    this.changed("devices");
    return this.saw("approveDevice", ...args);
  }
  rejectDevice(...args) {
    return this.saw("rejectDevice", ...args);
  }
  renameDevice(...args) {
    return this.saw("renameDevice", ...args);
  }
  removeDevice(...args) {
    return this.saw("removeDevice", ...args);
  }
  report(...args) {
    this.saw("report", ...args);
    return args[1] === "c".repeat(32) ? { ok: true } : { ok: false, reason: "token" };
  }
  countRefused(...args) {
    this.saw("countRefused", ...args);
  }
  /** Into another phase, as a test wants to see it. */
  become(change) {
    const kept = Object.entries({ ...this.life, ...change }).filter(([, value]) => value !== null);
    this.life = Object.fromEntries(kept);
    for (const writer of this.watchers) this.tell(writer);
  }
  setSleepAfter(sleepAfter) {
    this.saw("setSleepAfter", sleepAfter ?? null);
    this.life = { ...this.life, sleepAfter: sleepAfter ?? "never" };
    for (const writer of this.watchers) this.tell(writer);
    return { ok: true };
  }
  refusedHosts() {
    return [{ host: "evil.example", times: 2, lastAt: 1 }];
  }
  logs(query) {
    this.saw("logs", query);
    const lines = [
      { n: 1, at: 1_800_000_000_000, source: "gateway", level: "info", text: "gateway ready <b>" },
      { n: 2, at: 1_800_000_001_000, source: "gateway", level: "warn", text: "telegram is slow" },
      { n: 3, at: 1_800_000_002_000, source: "supervisor", level: "info", text: "booted" },
    ];
    return lines.filter(({ n, source }) => source === query.source && n > (query.after ?? 0));
  }
  backups() {
    return this.kept?.room.list() ?? { ok: false, reason: "No bucket is bound." };
  }
  backUpNow() {
    this.saw("backUpNow");
    return this.kept.room.backUpNow();
  }
  restoreBackup(generation) {
    this.saw("restoreBackup", generation);
    return this.rewritten(() => this.kept.room.restoreTo(generation));
  }
  startAfresh() {
    this.saw("startAfresh");
    return this.rewritten(() => this.kept.room.startAfresh());
  }
  verifyBackup(which) {
    this.saw("verifyBackup", which);
    return this.kept.room.verify(which);
  }
  pruneBackups() {
    this.saw("pruneBackups");
    return this.kept.room.prune();
  }
  takeRecoveryKit() {
    this.saw("takeRecoveryKit");
    return this.kept.room.takeRecoveryKit();
  }
  imports() {
    return this.kept.room.imports.list();
  }
  beginImport(name, bytes) {
    this.saw("beginImport", name, bytes);
    return this.kept.room.imports.begin(name, bytes);
  }
  importPart(id, n, size) {
    this.saw("importPart", n, size);
    return this.kept.room.imports.part(id, n, size);
  }
  importPartStored(id, n) {
    return this.kept.room.imports.stored(id, n);
  }
  importSource(id) {
    return this.kept.room.imports.source(id);
  }
  applyImport(id) {
    this.saw("applyImport", id);
    const applied = this.kept.room.imports.apply(id);
    return applied.ok
      ? this.rewritten(async () => ({ ok: true }))
      : { ok: false, reason: applied.message };
  }
  async dropImport(id) {
    this.saw("dropImport", id);
    const dropped = await this.kept.room.imports.drop(id);
    return dropped.ok ? { ok: true } : { ok: false, reason: dropped.message };
  }
  rewritten(change) {
    return this.kept.rewritten(change, (phase) => {
      this.life = { ...this.life, phase, since: Date.now() };
      this.changed("backups");
    });
  }
  processes() {
    return [{ pid: 1, name: "node", rss: 1, cpuSeconds: 0 }];
  }
}

const base = {
  version: "test",
  clientAddress: (request) => request.headers.get("x-test-client") ?? "198.51.100.7",
  now: () => Date.now(),
};
const one = createApp({
  ...base,
  adminVerifier: closedAdmin,
  faces: () => ({ agent: true, admin: true }),
});
const agentFace = createApp({
  ...base,
  adminVerifier: closedAdmin,
  faces: () => ({ agent: true, admin: false }),
});

const count = (text) => text.taken();

/** The control of the tests: what the agent was asked since the last call, and outbound requests. */
export class Control extends WorkerEntrypoint {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/calls") {
      return Response.json(await count(this.env.AGENT.getByName("main")));
    }
    if (url.pathname === "/writes") {
      return Response.json(await this.env.AGENT.getByName("main").written());
    }
    if (url.pathname === "/become") {
      await this.env.AGENT.getByName("main").become(await request.json());
      return new Response(null, { status: 204 });
    }
    const outbound = this.ctx.exports.Outbound({ props: { agentId: "main", startGeneration: 3 } });
    const target = request.headers.get("x-target");
    const headers = new Headers(request.headers);
    headers.delete("x-target");
    return outbound.fetch(
      new Request(target, {
        method: request.method,
        headers,
        body: request.body,
        redirect: "manual",
      }),
    );
  }
}

/** One origin for both faces, as when deployed without an admin host. */
export class Deployed extends WorkerEntrypoint {
  fetch(request) {
    return one.fetch(request, this.env, this.ctx);
  }
}

export class AgentFace extends WorkerEntrypoint {
  fetch(request) {
    return agentFace.fetch(request, this.env, this.ctx);
  }
}

let behindAccess;
/** As when deployed: one origin, admins through Cloudflare Access. */
export class AccessFace extends WorkerEntrypoint {
  fetch(request) {
    const parsed = configOf(this.env);
    behindAccess ??= createApp({
      ...base,
      adminVerifier: parsed.ok
        ? createAccessVerifier(parsed.config.access, (url, init) => fetch(url, init))
        : closedAdmin,
      faces: facesByHost,
    });
    return behindAccess.fetch(request, this.env, this.ctx);
  }
}

let admin;
export class AdminFace extends WorkerEntrypoint {
  fetch(request) {
    admin ??= createApp({
      ...base,
      adminVerifier: localAdminVerifier({
        secret: this.env.LOCAL_ADMIN_SECRET,
        hosts: ["127.0.0.1:8788", this.env.ADMIN_ADDRESS],
        redeem: (code) => this.env.ADMIN_CODES.getByName("admin").redeem(code),
      }),
      faces: () => ({ agent: false, admin: true }),
    });
    return admin.fetch(request, this.env, this.ctx);
  }
}

export default one;
