/**
 * A Durable Object that records what it was asked, around the product's own rooms. What would need a
 * sandbox is answered from here.
 */
import { type RpcTarget, DurableObject } from "cloudflare:workers";
import type { SleepAfter } from "../../src/protocol/agent.ts";
import type { LogLine, ProcessInfo } from "../../src/protocol/control.ts";
import type { SessionReply } from "../../src/protocol/session.ts";
import type { AgentCalls, AgentStatus } from "../../src/worker/agent-calls.ts";
import type { Sql } from "../../src/worker/agent/store/schema.ts";
import { migrate } from "../../src/worker/agent/store/schema.ts";
import type { SpendRoom } from "../../src/worker/ai/ledger/spend-room.ts";
import type { AppsRoom } from "../../src/worker/apps/room.ts";
import type { AuditRoom } from "../../src/worker/audit/room.ts";
import type { BrowserRoom } from "../../src/worker/browser/room.ts";
import type { ChannelsRoom } from "../../src/worker/channels/channels.ts";
import type { Done } from "../../src/worker/done.ts";
import { RecordingBoard } from "./recording-board.worker.ts";
import { openRooms, type RecordingEnv, type Rooms } from "./recording-parts.worker.ts";
import { SeededBackups } from "./seeded-backups.worker.ts";
import { seededChannelsRoom } from "./seeded-channels.worker.ts";
import { seededSpendRoom } from "./seeded-spend.worker.ts";

/** Asked for the lines after this one, the agent is stopped. */
const STOPPED = 404;

interface Opened {
  spend: SpendRoom;
  rooms: Rooms;
  /** The weeks behind the agent, when a bucket is bound. */
  kept: SeededBackups | undefined;
}

export class Agent extends DurableObject<RecordingEnv> {
  readonly #calls: { name: string; args: unknown[] }[] = [];
  #writes = 0;
  readonly #board = new RecordingBoard(() => this.#shown());
  #opened: Opened | undefined;
  #channels: ChannelsRoom | undefined;

  constructor(ctx: DurableObjectState, env: RecordingEnv) {
    super(ctx, env);
    const { sql } = ctx.storage;
    migrate(sql);
    ctx.blockConcurrencyWhile(async () => {
      this.#opened = await this.#open(sql, env);
    });
  }

  async #open(sql: Sql, env: RecordingEnv): Promise<Opened> {
    const bucket = env.BACKUPS;
    const kept =
      bucket === undefined
        ? undefined
        : await SeededBackups.open(sql, env, bucket, () => this.#board.changed("backups"));
    const rooms = openRooms({
      ...{ sql, env, kept: kept?.room },
      saw: (name, ...args) => this.#saw(name, ...args),
      wrote: () => (this.#writes += 1),
      changed: (matter) => this.#board.changed(matter),
      rewritten: (change) => this.#rewritten(change),
    });
    const spend = await seededSpendRoom(sql, () => rooms.panic.held !== undefined);
    return { spend, rooms, kept };
  }

  get #parts(): Opened {
    if (this.#opened === undefined) throw new Error("The rooms are not open yet.");
    return this.#opened;
  }

  get spend(): SpendRoom {
    return this.#parts.spend;
  }
  /** Begun by whoever asks first: its letters are tried again by the clock. */
  get channels(): ChannelsRoom {
    this.#channels ??= seededChannelsRoom({
      sql: this.ctx.storage.sql,
      waitUntil: (work) => this.ctx.waitUntil(work),
      said: (...args) => void this.#saw("say", ...args),
      spoke: (...args) => void this.#saw("spoke", ...args),
    });
    return this.#channels;
  }
  get apps(): AppsRoom {
    return this.#parts.rooms.apps;
  }
  get browser(): BrowserRoom {
    return this.#parts.rooms.browser;
  }
  get audit(): AuditRoom {
    return this.#parts.rooms.audit;
  }
  get security(): RpcTarget {
    return this.#parts.rooms.noted.security;
  }
  get devices(): RpcTarget {
    return this.#parts.rooms.noted.devices;
  }
  get egress(): RpcTarget {
    return this.#parts.rooms.noted.egress;
  }
  get backups(): RpcTarget {
    return this.#parts.rooms.noted.backups;
  }
  get imports(): RpcTarget {
    return this.#parts.rooms.noted.imports;
  }

  /** What was asked since the last call. */
  taken(): object[] {
    return this.#calls.splice(0);
  }
  /** How often something was written to the audit log. */
  written(): number {
    return this.#writes;
  }
  /** Into another phase, as a test wants to see it. */
  become(change: object): void {
    this.#board.become(change);
  }

  override async fetch(request: Request): Promise<Response> {
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
    if (!this.#parts.rooms.security.admits(began, headers.get("x-moltworker-app") ?? undefined)) {
      return new Response(null, { status: 401, headers: { "x-moltworker-session-over": "1" } });
    }
    if (headers.get("upgrade") === "websocket") {
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      server.addEventListener("message", ({ data }) => server.send(data));
      return new Response(null, { status: 101, webSocket: client });
    }
    if (url.pathname === "/_moltworker/events") return this.#board.follow();
    return new Response("from the agent", { headers: { "X-From": "agent" } });
  }

  status(): AgentStatus {
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
  start(): Done {
    return this.#saw("start");
  }
  stop(): Done {
    return this.#saw("stop");
  }
  restart(): Done {
    this.#saw("restart");
    return { ok: false, reason: "not running" };
  }
  session(issuedAt?: number, app?: string): SessionReply | undefined {
    this.#saw("session");
    if (!this.#parts.rooms.security.admits(issuedAt, app)) return undefined;
    return { agentId: "main", gatewayToken: "inner-</script>-token-0123456789abcdef" };
  }
  report(...args: Parameters<AgentCalls["report"]>): Done {
    this.#saw("report", ...args);
    return args[1] === "c".repeat(32) ? { ok: true } : { ok: false, reason: "token" };
  }
  setSleepAfter(sleepAfter: SleepAfter | undefined): Done {
    this.#saw("setSleepAfter", sleepAfter ?? null);
    this.#board.become({ sleepAfter: sleepAfter ?? "never" });
    return { ok: true };
  }
  logs(query: Parameters<AgentCalls["logs"]>[0]): LogLine[] {
    this.#saw("logs", query);
    if (query.after === STOPPED) throw new Error("GET /v1/logs: there is no sandbox");
    const lines: LogLine[] = [
      { n: 1, at: 1_800_000_000_000, source: "gateway", level: "info", text: "gateway ready <b>" },
      { n: 2, at: 1_800_000_001_000, source: "gateway", level: "warn", text: "telegram is slow" },
      { n: 3, at: 1_800_000_002_000, source: "supervisor", level: "info", text: "booted" },
    ];
    return lines.filter(({ n, source }) => source === query.source && n > (query.after ?? 0));
  }
  processes(): ProcessInfo[] {
    return [{ pid: 1, name: "node", rss: 1, cpuSeconds: 0 }];
  }

  #saw(name: string, ...args: unknown[]): Done {
    this.#calls.push({ name, args });
    return { ok: true };
  }
  #rewritten(change: () => Promise<Done>): Promise<Done> {
    const { kept } = this.#parts;
    if (kept === undefined) throw new Error("There are no backups to begin from.");
    return kept.rewritten(change, (phase) => this.#board.enter(phase));
  }
  #shown(): object {
    const { kept, rooms } = this.#parts;
    return {
      panic: rooms.panic.held,
      ...(kept === undefined
        ? {}
        : { kept: true, startGeneration: kept.startGeneration, ...kept.room.health() }),
    };
  }
}
