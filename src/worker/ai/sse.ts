/**
 * The data of server-sent events, from chunks cut anywhere.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
const MAX_EVENT_CHARS = 8 * 1_048_576;

export class EventReader {
  readonly #decoder = new TextDecoder();
  readonly #onData: (data: string) => void;
  #line = "";
  #data: string | undefined;
  /** An event grew past the bound; its data is lost, the ones after it are read. */
  lost = false;

  constructor(onData: (data: string) => void) {
    this.#onData = onData;
  }

  write(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  /** The last event counts even without the blank line behind it. */
  end(): void {
    this.#take(`${this.#decoder.decode()}\n\n`);
  }

  #take(text: string): void {
    let from = 0;
    for (;;) {
      const newline = text.indexOf("\n", from);
      if (newline === -1) break;
      const rest = text.slice(from, newline);
      const line = this.#line === "" ? rest : this.#line + rest;
      this.#line = "";
      from = newline + 1;
      this.#read(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    this.#line += text.slice(from);
    if (this.#line.length > MAX_EVENT_CHARS) {
      this.#line = "";
      this.lost = true;
    }
  }

  #read(line: string): void {
    if (line === "") {
      if (this.#data !== undefined) this.#onData(this.#data);
      this.#data = undefined;
      return;
    }
    if (!line.startsWith("data:")) return;
    const value = line.slice(line.startsWith("data: ") ? 6 : 5);
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    if (this.#data.length > MAX_EVENT_CHARS) {
      this.#data = undefined;
      this.lost = true;
    }
  }
}
