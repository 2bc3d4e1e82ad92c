/**
 * The Gateway that the agent's Discord plugin talks to: version 10 in JSON, spoken by the Durable
 * Object, with sequence numbers of its own. Discord knows nothing of it, so a gateway that starts,
 * stops or is replaced changes nothing about the real session. Fails closed: without the placeholder
 * of the present settings nobody hears anything.
 *
 * A message counts as accepted when the plugin answered two requests for a heartbeat that were sent
 * after it, one after the other. The first answer says that the plugin's process has read the message
 * (its sequence number comes back), the second that it had another turn of its event loop since, in
 * which it wrote the message to its own database: it does so before anything else happens to it.
 */
import * as z from "zod";
import { OP, parseFrame, type Frame } from "./protocol.ts";

const HEARTBEAT_MS = 41_250;
/** https://docs.discord.com/developers/events/gateway#sending-events */
const MAX_FRAME_BYTES = 4_096;
const MAX_FRAMES = 120;
const FRAMES_MS = 60_000;
/** Until a client that answered with an older sequence number is asked again. */
const BEHIND_MS = 250;
/** What a client that comes back is told again. */
const MAX_KEPT = 500;
const MAX_KEPT_CHARS = 4 * 1024 ** 2;

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

/** What the plugin knows as its session. */
interface Told {
  id: string;
  seq: number;
  kept: { seq: number; text: string }[];
  keptChars: number;
}

interface Waiter {
  seq: number;
  left: number;
  behind: boolean;
  done(accepted: boolean): void;
}

export class Facade {
  readonly #parts: FacadeParts;
  #told: Told | undefined;
  #socket: WebSocket | undefined;
  #waiters: Waiter[] = [];
  #arrivals: (() => void)[] = [];
  /** Heartbeats that the client was asked for and has not sent yet. */
  #asked = 0;
  /** Clients that identified before Discord's READY was known. */
  #early = new Set<WebSocket>();

  constructor(parts: FacadeParts) {
    this.#parts = parts;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
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
      if (this.#socket === socket) this.#left();
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
      // A heartbeat that was asked for is none of the client's own doing.
      if (this.#socket === socket && this.#asked > 0) this.#asked -= 1;
      else client.frames = [...client.frames.filter((at) => now - at < FRAMES_MS), now];
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
    told.seq += 1;
    const text = JSON.stringify({ op: OP.dispatch, t: type, s: told.seq, d: data });
    told.kept.push({ seq: told.seq, text });
    told.keptChars += text.length;
    while (
      told.kept.length > MAX_KEPT ||
      (told.keptChars > MAX_KEPT_CHARS && told.kept.length > 1)
    ) {
      told.keptChars -= told.kept.shift()?.text.length ?? 0;
    }
    this.#socket?.send(text);
    return told.seq;
  }

  /** Resolves when the plugin is there; false when it did not come in time. */
  async present(ms: number): Promise<boolean> {
    if (this.connected) return true;
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), ms);
      this.#arrivals.push(() => {
        clearTimeout(late);
        resolve(true);
      });
    });
  }

  /** Hands one event over; true when the plugin has it (see above). */
  async give(type: string, data: unknown, ms: number): Promise<boolean> {
    if (this.#socket === undefined) return false;
    const seq = this.pass(type, data);
    if (seq === undefined) return false;
    return new Promise((resolve) => {
      const waiter: Waiter = {
        seq,
        ...{ left: 2, behind: false },
        done: (accepted) => {
          clearTimeout(late);
          this.#waiters = this.#waiters.filter((each) => each !== waiter);
          resolve(accepted);
        },
      };
      const late = setTimeout(() => waiter.done(false), ms);
      this.#waiters.push(waiter);
      this.#askForHeartbeat();
    });
  }

  #heard(
    socket: WebSocket,
    client: { identified: boolean },
    { op, d }: Frame,
    end: (code: number, reason: string) => void,
  ): void {
    if (op === OP.heartbeat) {
      send(socket, { op: OP.heartbeatAck });
      if (this.#socket === socket && typeof d === "number") this.#acknowledged(d);
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
    const id = crypto.randomUUID().replaceAll("-", "");
    this.#told = { id, seq: 0, kept: [], keptChars: 0 };
    this.#arrived(socket);
    const session = { session_id: id, resume_gateway_url: this.#parts.address };
    this.pass("READY", { ...snapshot.ready, ...session });
    for (const guild of snapshot.guilds) this.pass("GUILD_CREATE", guild);
    for (const arrived of this.#arrivals.splice(0)) arrived();
  }

  #resume(socket: WebSocket, id: string, seq: number): boolean {
    const told = this.#told;
    const oldest = told?.kept[0]?.seq ?? 0;
    if (told === undefined || told.id !== id || seq > told.seq || seq < oldest - 1) {
      send(socket, { op: OP.invalidSession, d: false });
      return false;
    }
    this.#arrived(socket);
    for (const each of told.kept) if (each.seq > seq) socket.send(each.text);
    this.pass("RESUMED", {});
    for (const arrived of this.#arrivals.splice(0)) arrived();
    return true;
  }

  #arrived(socket: WebSocket): void {
    const before = this.#socket;
    this.#left();
    this.#socket = socket;
    if (before !== undefined && before !== socket)
      before.close(CLOSE.silent, "Another client came");
  }

  /** Whoever waits for an answer of that client gets none. */
  #left(): void {
    this.#socket = undefined;
    this.#asked = 0;
    for (const waiter of this.#waiters) waiter.done(false);
  }

  #acknowledged(seq: number): void {
    for (const waiter of this.#waiters) {
      if (seq < waiter.seq) {
        // A client may answer with what it had taken before; later it has taken more.
        if (!waiter.behind) setTimeout(() => this.#askAgain(waiter), BEHIND_MS);
        waiter.behind = true;
        continue;
      }
      waiter.left -= 1;
      if (waiter.left > 0) this.#askForHeartbeat();
      else waiter.done(true);
    }
  }

  #askAgain(waiter: Waiter): void {
    waiter.behind = false;
    if (this.#waiters.includes(waiter)) this.#askForHeartbeat();
  }

  #askForHeartbeat(): void {
    if (this.#socket === undefined) return;
    this.#asked += 1;
    send(this.#socket, { op: OP.heartbeat, d: null });
  }
}

function send(socket: WebSocket, payload: Frame): void {
  socket.send(JSON.stringify(payload));
}
