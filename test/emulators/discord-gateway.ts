/**
 * Discord's Gateway, version 10 in JSON, on loopback, as its public reference describes it:
 * https://docs.discord.com/developers/events/gateway (connections, identify, resume, rate limits) and
 * https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway.
 *
 * A session keeps what was dispatched, so that one that comes back hears what it missed.
 */
import { randomUUID } from "node:crypto";
import type http from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { z } from "zod";

const frame = z.object({ op: z.number().int(), d: z.unknown().optional() });
const identify = z.object({
  token: z.string(),
  intents: z.number().int(),
  properties: z.looseObject({}),
});
const resume = z.object({ token: z.string(), session_id: z.string(), seq: z.number().int() });
const MESSAGE_CONTENT = 1 << 15;
const KNOWN_INTENTS = (1 << 26) - 1;
const IDENTIFY_EVERY_MS = 5_000;

interface Session {
  id: string;
  seq: number;
  events: { s: number; text: string }[];
  socket: WebSocket | undefined;
}

export interface GatewayOptions {
  token: string;
  /** Milliseconds between heartbeats; Discord says about 41 seconds. */
  heartbeatMs: number;
  /** What a session begins with: READY without its session, then the servers. */
  begin(): { ready: object; guilds: object[] };
}

export interface DiscordGateway {
  /** `identify` and `resume` frames that were accepted, and heartbeats, oldest first. */
  heard: { op: "identify" | "resume" | "heartbeat"; d: unknown }[];
  /** How many of today's sessions are left; the address of the Gateway says it. */
  remaining: number;
  /** Heartbeats are not answered while it is true. */
  silent: boolean;
  /** Whether the application may ask for MESSAGE_CONTENT. */
  contentAllowed: boolean;
  readonly connections: number;
  /** Sends an event to every session, connected or not. */
  dispatch(type: string, data: object): void;
  /** Ends every connection as a broken network does. */
  cut(): void;
  /** Ends every connection with a close code. */
  closeWith(code: number): void;
  /** Asks every client to connect again (op 7). */
  reconnect(): void;
  /** Ends every session (op 9); a resumable one may come back. */
  invalidate(resumable: boolean): void;
  /** Forgets the sessions without a word: the next RESUME is refused. */
  forget(): void;
  upgrade(request: http.IncomingMessage, socket: import("node:stream").Duplex, head: Buffer): void;
  close(): void;
}

/** @param address where clients come back to; known only once the server listens */
export function createDiscordGateway(
  options: GatewayOptions,
  address: () => string,
): DiscordGateway {
  const server = new WebSocketServer({ noServer: true });
  const sessions = new Map<string, Session>();
  let identifiedAt = 0;

  const gateway: DiscordGateway = {
    heard: [],
    remaining: 1_000,
    silent: false,
    contentAllowed: true,
    get connections() {
      return server.clients.size;
    },
    dispatch(type, data) {
      for (const session of sessions.values()) tell(session, type, data);
    },
    cut() {
      for (const client of server.clients) client.terminate();
    },
    closeWith(code) {
      for (const client of server.clients) client.close(code);
    },
    reconnect() {
      for (const client of server.clients) send(client, { op: 7, d: null });
    },
    invalidate(resumable) {
      if (!resumable) sessions.clear();
      for (const client of server.clients) send(client, { op: 9, d: resumable });
    },
    forget: () => sessions.clear(),
    upgrade(request, socket, head) {
      server.handleUpgrade(request, socket, head, (client) => {
        const asked = new URL(request.url ?? "/", "http://x").searchParams;
        if (asked.get("v") !== "10") return client.close(4012);
        if (asked.get("encoding") !== "json" || asked.has("compress")) return client.close(4002);
        serve(client);
      });
    },
    close() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };

  function serve(client: WebSocket): void {
    let session: Session | undefined;
    client.on("close", () => {
      if (session?.socket === client) session.socket = undefined;
    });
    client.on("message", (data) => {
      const text = Buffer.isBuffer(data) ? data.toString("utf8") : "";
      const parsed = frame.safeParse(parseJson(text));
      if (!parsed.success || text.length > 4_096) return client.close(4002);
      const { op, d } = parsed.data;
      if (op === 1) {
        gateway.heard.push({ op: "heartbeat", d });
        if (!gateway.silent) send(client, { op: 11 });
        return;
      }
      if (op === 2 || op === 6) {
        if (session !== undefined) return client.close(4005);
        session = op === 2 ? identified(client, d) : resumed(client, d);
        return;
      }
      if (![3, 4, 8].includes(op)) return client.close(4001);
      if (session === undefined) client.close(4003);
    });
    send(client, { op: 10, d: { heartbeat_interval: options.heartbeatMs } });
  }

  function identified(client: WebSocket, d: unknown): Session | undefined {
    const asked = identify.safeParse(d);
    if (!asked.success) return void client.close(4002);
    if (asked.data.token !== options.token) return void client.close(4004);
    if ((asked.data.intents & ~KNOWN_INTENTS) !== 0) return void client.close(4013);
    const wantsContent = (asked.data.intents & MESSAGE_CONTENT) !== 0;
    if (wantsContent && !gateway.contentAllowed) return void client.close(4014);
    const now = Date.now();
    if (now - identifiedAt < IDENTIFY_EVERY_MS || gateway.remaining <= 0) {
      return void send(client, { op: 9, d: false });
    }
    identifiedAt = now;
    gateway.remaining -= 1;
    gateway.heard.push({ op: "identify", d });
    const id = randomUUID();
    const session: Session = { id, seq: 0, events: [], socket: client };
    sessions.set(id, session);
    const { ready, guilds } = options.begin();
    tell(session, "READY", { ...ready, session_id: id, resume_gateway_url: address() });
    for (const guild of guilds) tell(session, "GUILD_CREATE", guild);
    return session;
  }

  function resumed(client: WebSocket, d: unknown): Session | undefined {
    const asked = resume.safeParse(d);
    if (!asked.success) return void client.close(4002);
    if (asked.data.token !== options.token) return void client.close(4004);
    const session = sessions.get(asked.data.session_id);
    if (session === undefined) return void send(client, { op: 9, d: false });
    if (asked.data.seq > session.seq) return void client.close(4007);
    gateway.heard.push({ op: "resume", d });
    session.socket = client;
    for (const event of session.events) if (event.s > asked.data.seq) client.send(event.text);
    tell(session, "RESUMED", {});
    return session;
  }

  function tell(session: Session, type: string, data: object): void {
    session.seq += 1;
    const text = JSON.stringify({ op: 0, t: type, s: session.seq, d: data });
    session.events.push({ s: session.seq, text });
    session.socket?.send(text);
  }

  return gateway;
}

function send(client: WebSocket, payload: object): void {
  client.send(JSON.stringify(payload));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
