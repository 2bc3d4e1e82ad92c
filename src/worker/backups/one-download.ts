/**
 * One download at a time: each takes most of the memory that an isolate has, and two would end it
 * together with everything else in it.
 */
const STALLED_MS = 60_000;

let present: Download | undefined;

/** Undefined while another one is under way. One that nobody reads for a minute is broken off instead. */
export function beginDownload(now: () => number): Download | undefined {
  if (present !== undefined && now() - present.readAt < STALLED_MS) return undefined;
  present?.breakOff();
  present = new Download(now);
  return present;
}

export class Download {
  readonly #now: () => number;
  #source: AsyncGenerator<Uint8Array, void, undefined> | undefined;
  #broken = false;
  readAt: number;

  constructor(now: () => number) {
    this.#now = now;
    this.readAt = now();
  }

  /** What `source` gives, until it ends or is let go of. */
  async *pass(
    source: AsyncGenerator<Uint8Array, void, undefined>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    this.#source = source;
    try {
      for await (const bytes of source) {
        yield bytes;
        this.readAt = this.#now();
      }
      // An end that is none must not look like one.
      if (this.#broken) throw new Error("broken off: it was not read while another one waited");
    } finally {
      this.end();
    }
  }

  end(): void {
    if (present === this) present = undefined;
  }

  /** Lets go of what it holds at once; its reader learns of it whenever it reads on. */
  breakOff(): void {
    this.#broken = true;
    this.#source?.return().catch(() => undefined);
    this.end();
  }
}
