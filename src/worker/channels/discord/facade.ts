/**
 * The Gateway that the agent's Discord plugin talks to: version 10 in JSON, spoken by the Durable
 * Object, with sequence numbers of its own. Discord knows nothing of it, so a gateway that starts,
 * stops or is replaced changes nothing about the real session. Fails closed: without the placeholder
 * of the present settings nobody hears anything.
 */
import * as z from "zod";
import { Acknowledgements } from "./acknowledgements.ts";
import { OP, parseFrame, type Frame } from "./protocol.ts";
import { ToldSession } from "./told-session.ts";

const HEARTBEAT_MS = 41_250;
/** https://docs.discord.com/developers/events/gateway#sending-events */
const MAX_FRAME_BYTES = 4_096;
const MAX_FRAMES = 120;
const FRAMES_MS = 60_000;

const CLOSE = {
  unknownOp: 4001,
  notUnderstood: 4002,
  notAuthenticated: 4003,
  wrongToken: 4004,
  again: 4005,
  tooFast: 4008,
  silent: 4009,
  wrongShard: 4010,
} as const;

const identify = z.object({
  token: z.string(),
  shard: z.tuple([z.number(), z.number()]).optional(),
});
const resume = z.object({ token: z.string(), session_id: z.string(), seq: z.number().int() });
const IGNORED = new Set<number>([OP.presence, OP.voiceState, OP.requestMembers]);

export interface FacadeParts {
  /** What the plugin has instead of the token. */
  placeholder: string;
  /** Where the plugin comes back to. */
  address: string;
  now(): number;
  /** READY without its session, and the servers; undefined until Discord said them once. */
  snapshot(): { ready: Record<string, unknown>; guilds: unknown[] } | undefined;
}

export class Facade {
  readonly #parts: FacadeParts;
  #told: ToldSession | undefined;
  #plugin: { socket: WebSocket; acknowledgements: Acknowledgements } | undefined;
  readonly #arrivals = new Set<() => void>();
  /** Clients that identified before Discord's READY was known. */
  #early = new Set<WebSocket>();

  constructor(parts: FacadeParts) {
    this.#parts = parts;
  }

  get connected(): boolean {
    return this.#plugin !== undefined;
  }

  /** @param socket accepted already */
  open(socket: WebSocket): void {
    const client = { identified: false, frames: [] as number[], heard: this.#parts.now() };
    const watch = setInterval(() => {
      if (this.#parts.now() - client.heard > 2 * HEARTBEAT_MS)
        end(CLOSE.silent, "Session timed out");
    }, HEARTBEAT_MS);
    const gone = () => {
      clearInterval(watch);
      this.#early.delete(socket);
      if (this.#plugin?.socket === socket) this.#left();
    };
    const end = (code: number, reason: string) => {
      gone();
      socket.close(code, reason);
    };
    socket.addEventListener("close", gone);
    socket.addEventListener("error", gone);
    socket.addEventListener("message", ({ data }) => {
      const now = this.#parts.now();
      client.heard = now;
      if (this.#acknowledgementsOf(socket)?.wasAsked() !== true) {
        client.frames = [...client.frames.filter((at) => now - at < FRAMES_MS), now];
      }
      if (client.frames.length > MAX_FRAMES) return end(CLOSE.tooFast, "Rate limited");
      if (typeof data !== "string" || data.length > MAX_FRAME_BYTES) {
        return end(CLOSE.notUnderstood, "Decode error");
      }
      const frame = parseFrame(data);
      if (frame === undefined) return end(CLOSE.notUnderstood, "Decode error");
      this.#heard(socket, client, frame, end);
    });
    send(socket, { op: OP.hello, d: { heartbeat_interval: HEARTBEAT_MS } });
  }

  /** Discord said what a session begins with. */
  known(): void {
    const early = [...this.#early];
    this.#early.clear();
    for (const socket of early) this.#begin(socket);
  }

  /** Tells the plugin; nothing when there is none, or kept for when it comes back. */
  pass(type: string, data: unknown): number | undefined {
    const told = this.#told;
    if (told === undefined) return undefined;
    const { seq, text } = told.add(type, data);
    this.#plugin?.socket.send(text);
    return seq;
  }

  /** Resolves when the plugin is there; false when it did not come in time. */
  async present(ms: number): Promise<boolean> {
    if (this.connected) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const arrived = () => resolve(true);
    this.#arrivals.add(arrived);
    const late = setTimeout(() => resolve(false), ms);
    const there = await promise;
    clearTimeout(late);
    this.#arrivals.delete(arrived);
    return there;
  }

  /** Hands one event over; true when the plugin has it. */
  async give(type: string, data: unknown, ms: number): Promise<boolean> {
    const plugin = this.#plugin;
    if (plugin === undefined) return false;
    const seq = this.pass(type, data);
    return seq === undefined ? false : plugin.acknowledgements.of(seq, ms);
  }

  #heard(
    socket: WebSocket,
    client: { identified: boolean },
    { op, d }: Frame,
    end: (code: number, reason: string) => void,
  ): void {
    if (op === OP.heartbeat) {
      send(socket, { op: OP.heartbeatAck });
      if (typeof d === "number") this.#acknowledgementsOf(socket)?.heard(d);
      return;
    }
    if (op === OP.identify || op === OP.resume) {
      if (client.identified) return end(CLOSE.again, "Already authenticated");
      const asked = op === OP.identify ? identify.safeParse(d).data : resume.safeParse(d).data;
      if (asked === undefined) return end(CLOSE.notUnderstood, "Decode error");
      if (asked.token !== this.#parts.placeholder)
        return end(CLOSE.wrongToken, "Authentication failed");
      if ("session_id" in asked) {
        client.identified = this.#resume(socket, asked.session_id, asked.seq);
        return;
      }
      if (asked.shard !== undefined && asked.shard[1] !== 1)
        return end(CLOSE.wrongShard, "Invalid shard");
      client.identified = true;
      return this.#begin(socket);
    }
    if (!IGNORED.has(op)) return end(CLOSE.unknownOp, "Unknown opcode");
    if (!client.identified) return end(CLOSE.notAuthenticated, "Not authenticated");
  }

  #begin(socket: WebSocket): void {
    const snapshot = this.#parts.snapshot();
    if (snapshot === undefined) {
      this.#early.add(socket);
      return;
    }
    const told = new ToldSession();
    this.#told = told;
    this.#arrived(socket);
    const session = { session_id: told.id, resume_gateway_url: this.#parts.address };
    this.pass("READY", { ...snapshot.ready, ...session });
    for (const guild of snapshot.guilds) this.pass("GUILD_CREATE", guild);
    for (const arrived of this.#arrivals) arrived();
  }

  #resume(socket: WebSocket, id: string, seq: number): boolean {
    const missed = this.#told?.id === id ? this.#told.since(seq) : undefined;
    if (missed === undefined) {
      send(socket, { op: OP.invalidSession, d: false });
      return false;
    }
    this.#arrived(socket);
    for (const text of missed) socket.send(text);
    this.pass("RESUMED", {});
    for (const arrived of this.#arrivals) arrived();
    return true;
  }

  #arrived(socket: WebSocket): void {
    const before = this.#plugin?.socket;
    this.#left();
    this.#plugin = { socket, acknowledgements: new Acknowledgements(socket) };
    if (before !== undefined && before !== socket)
      before.close(CLOSE.silent, "Another client came");
  }

  #left(): void {
    const plugin = this.#plugin;
    this.#plugin = undefined;
    plugin?.acknowledgements.end();
  }

  /** Undefined when the plugin is not that client, or not any more. */
  #acknowledgementsOf(socket: WebSocket): Acknowledgements | undefined {
    return this.#plugin?.socket === socket ? this.#plugin.acknowledgements : undefined;
  }
}

function send(socket: WebSocket, payload: Frame): void {
  socket.send(JSON.stringify(payload));
}
