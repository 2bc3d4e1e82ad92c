import { refusal } from "./refusals.ts";

/** Pages that follow at the same time; more are told to come back. */
const MAX_WATCHERS = 64;
/** Keeps proxies on the way from closing a silent stream. */
const HEARTBEAT_MS = 15_000;

/** Events that may wait for a page that reads slowly. */
const MAX_PENDING = 32;

/** Server-sent events to the pages that follow, out of memory: nothing is stored for them. */
export class Watchers {
  /** The writer of each page, and how many of its events wait to be read. */
  readonly #pending = new Map<WritableStreamDefaultWriter<Uint8Array>, number>();
  /** Those that were let in by a session or an app's credential. */
  readonly #guests = new Set<WritableStreamDefaultWriter<Uint8Array>>();
  readonly #encoder = new TextEncoder();
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  /**
   * A stream that begins with the present state.
   *
   * @param guest whether it ends along with the sessions
   */
  open(state: object, guest: boolean): Response {
    if (this.#pending.size >= MAX_WATCHERS) {
      return refusal(503, "too_many_watchers", "Too many pages follow this agent already.", 5);
    }
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    this.#pending.set(writer, 0);
    if (guest) this.#guests.add(writer);
    const drop = () => this.#drop(writer);
    writer.closed.then(drop, drop);
    this.#heartbeat ??= setInterval(() => this.#send(": still here\n\n"), HEARTBEAT_MS);
    void this.#write(writer, `retry: 2000\n${frame(state)}`);
    return new Response(readable, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      },
    });
  }

  /** Whoever may still follow comes back by itself. */
  endGuests(): void {
    for (const writer of this.#guests) {
      this.#drop(writer);
      writer.close().catch(() => undefined);
    }
  }

  tell(state: object): void {
    this.#send(frame(state));
  }

  get size(): number {
    return this.#pending.size;
  }

  #send(text: string): void {
    for (const writer of this.#pending.keys()) void this.#write(writer, text);
  }

  async #write(writer: WritableStreamDefaultWriter<Uint8Array>, text: string): Promise<void> {
    const pending = this.#pending.get(writer) ?? 0;
    try {
      if (pending >= MAX_PENDING) {
        this.#drop(writer);
        await writer.abort();
        return;
      }
      this.#pending.set(writer, pending + 1);
      await writer.write(this.#encoder.encode(text));
      const left = this.#pending.get(writer);
      if (left !== undefined) this.#pending.set(writer, left - 1);
    } catch {
      this.#drop(writer);
    }
  }

  #drop(writer: WritableStreamDefaultWriter<Uint8Array>): void {
    this.#pending.delete(writer);
    this.#guests.delete(writer);
    if (this.#pending.size > 0 || this.#heartbeat === undefined) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }
}

function frame(state: object): string {
  return `data: ${JSON.stringify(state)}\n\n`;
}
