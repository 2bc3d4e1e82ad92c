/**
 * One WebSocket to Discord's Gateway: opens it, keeps its heartbeat, hands over what comes. It knows
 * nothing of sessions; whoever holds it decides what a close means.
 * https://docs.discord.com/developers/events/gateway#sending-heartbeats
 */
import * as z from "zod";
import { within } from "../../deadline.ts";
import { OP, parseFrame, type Frame } from "./protocol.ts";

const OPEN_MS = 15_000;
/** HELLO is the first thing that Discord says. */
const HELLO_MS = 15_000;
const hello = z.object({ heartbeat_interval: z.number().int().min(50).max(600_000) });
/** Any code but 1000 and 1001, which would end the session as well. */
const LEAVE = 4900;

export interface LinkParts {
  fetch: typeof fetch;
  /** The last sequence number that was taken. */
  seq(): number | undefined;
  /** In order; the next one waits for it. */
  take(frame: Frame): Promise<void>;
  /** Once, whoever ended it. `code` is Discord's, or undefined when it was not Discord. */
  over(code: number | undefined, why: string): void;
}

export class Link {
  readonly #parts: LinkParts;
  readonly #socket: WebSocket;
  #beat: ReturnType<typeof setTimeout> | undefined;
  #acked = true;
  #over = false;
  #work: Promise<void> = Promise.resolve();

  private constructor(socket: WebSocket, parts: LinkParts) {
    this.#parts = parts;
    this.#socket = socket;
    this.#beat = setTimeout(() => this.leave("Discord did not say HELLO."), HELLO_MS);
    socket.addEventListener("message", ({ data }) => this.#heard(data));
    socket.addEventListener("close", ({ code }) =>
      this.#ended(code, "Discord closed the connection"),
    );
    socket.addEventListener("error", () => this.#ended(undefined, "The connection broke"));
    socket.accept();
  }

  /** @param address http(s), as a WebSocket upgrade is fetched */
  static async open(address: string, parts: LinkParts): Promise<Link> {
    const asked = parts.fetch(address, { headers: { upgrade: "websocket" } });
    const response = await within("Discord's Gateway", OPEN_MS, asked);
    const { webSocket } = response;
    if (webSocket === null || webSocket === undefined) {
      throw new Error(`Discord's Gateway answered ${response.status} instead of a socket.`);
    }
    return new Link(webSocket, parts);
  }

  send(payload: Frame): void {
    if (!this.#over) this.#socket.send(JSON.stringify(payload));
  }

  /** Ends the connection and leaves the session, which can then be resumed. */
  leave(why: string): void {
    if (this.#over) return;
    this.#socket.close(LEAVE, "leaving");
    this.#ended(undefined, why);
  }

  #heard(data: unknown): void {
    const frame = typeof data === "string" ? parseFrame(data) : undefined;
    if (frame === undefined) return this.leave("Discord sent something that is not understood.");
    if (frame.op === OP.heartbeatAck) {
      this.#acked = true;
      return;
    }
    if (frame.op === OP.heartbeat) return this.#heartbeat();
    if (frame.op === OP.hello) this.#begin(hello.safeParse(frame.d).data?.heartbeat_interval);
    this.#work = this.#work.then(async () => {
      if (!this.#over)
        await this.#parts.take(frame).catch((error: unknown) => this.leave(String(error)));
    });
  }

  #begin(interval: number | undefined): void {
    if (interval === undefined) return this.leave("Discord's HELLO has no heartbeat interval.");
    clearTimeout(this.#beat ?? null);
    const next = (ms: number) => {
      this.#beat = setTimeout(() => {
        if (!this.#acked) return this.leave("Discord did not answer a heartbeat.");
        this.#heartbeat();
        next(interval);
      }, ms);
    };
    // The first one at a random time: many clients may have been told to connect at once.
    next(interval * Math.random());
  }

  #heartbeat(): void {
    this.#acked = false;
    this.send({ op: OP.heartbeat, d: this.#parts.seq() ?? null });
  }

  #ended(code: number | undefined, why: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#beat ?? null);
    this.#parts.over(code, why);
  }
}
