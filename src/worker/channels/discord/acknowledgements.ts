/**
 * What one connected plugin has acknowledged. Discord's protocol knows no acknowledgement of an event, so a
 * message counts as accepted when the plugin answered two requests for a heartbeat that were sent after
 * it, one after the other. The first answer says that the plugin's process has read the message (its
 * sequence number comes back), the second that it had another turn of its event loop since, in which it
 * wrote the message to its own database: it does so before anything else happens to it.
 */
import { OP } from "./protocol.ts";

/** Until a client that answered with an older sequence number is asked again. */
const BEHIND_MS = 250;

interface Waiter {
  seq: number;
  left: number;
  behind: boolean;
  done(accepted: boolean): void;
}

export class Acknowledgements {
  readonly #socket: Pick<WebSocket, "send">;
  #waiters: Waiter[] = [];
  /** Heartbeats that the client was asked for and has not sent yet. */
  #asked = 0;

  constructor(socket: Pick<WebSocket, "send">) {
    this.#socket = socket;
  }

  /** The event of that number was sent; true when the plugin has it. */
  of(seq: number, ms: number): Promise<boolean> {
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
      this.#ask();
    });
  }

  /** A frame came. @returns whether it is put down to a request, and not to the client's own doing */
  wasAsked(): boolean {
    if (this.#asked === 0) return false;
    this.#asked -= 1;
    return true;
  }

  /** A heartbeat came, with the last sequence number that the plugin has taken. */
  heard(seq: number): void {
    for (const waiter of this.#waiters) {
      if (seq < waiter.seq) {
        // A client may answer with what it had taken before; later it has taken more.
        if (!waiter.behind) setTimeout(() => this.#askAgain(waiter), BEHIND_MS);
        waiter.behind = true;
        continue;
      }
      waiter.left -= 1;
      if (waiter.left > 0) this.#ask();
      else waiter.done(true);
    }
  }

  /** The plugin is gone: whoever waits for an answer of it gets none. */
  end(): void {
    for (const waiter of this.#waiters) waiter.done(false);
  }

  #askAgain(waiter: Waiter): void {
    waiter.behind = false;
    if (this.#waiters.includes(waiter)) this.#ask();
  }

  #ask(): void {
    this.#asked += 1;
    this.#socket.send(JSON.stringify({ op: OP.heartbeat, d: null }));
  }
}
