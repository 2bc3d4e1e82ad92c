/** The supervisor's end of the reader. What the reader says is checked; a silent one is ended. */
import type { Readable, Writable } from "node:stream";
import type { FileList } from "../../protocol/backup.ts";
import type { Mark } from "./home.ts";
import { observedOf } from "./file-list.ts";
import { readFrames, writeFrame } from "./frames.ts";
import { readerMessage, type ReaderCommand, type ReaderMessage } from "./messages.ts";
import { shapeOf } from "./known-state.ts";

/** A process of the agent's with this program in the reader's role. */
export interface ReaderProcess {
  stdin: Writable;
  stdout: Readable;
  end(): void;
}

export type Content = Extract<ReaderMessage, { say: "content" }>;
export type Scanned = Extract<ReaderMessage, { say: "scanned" }>;

export class ReaderError extends Error {
  override readonly name = "ReaderError";
  readonly code = "reader";
  /** What it is about: the reader itself, or the state that it looks at. */
  readonly what: "reader" | "broken" | "hole";
  constructor(message: string, what: "reader" | "broken" | "hole" = "reader") {
    super(message);
    this.what = what;
  }
}

/** Longest silence while an answer is due: the copy of a very large database. */
const SILENCE_MS = 120_000;

interface Waiting {
  content: (content: Content, bytes: Buffer) => Promise<void>;
  done: (message: ReaderMessage) => void;
  failed: (error: Error) => void;
}

export class ReaderClient {
  private readonly process: ReaderProcess;
  private readonly onDirty: () => void;
  private waiting: Waiting | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private gone: Error | undefined;
  /** It knows which state it looks at. */
  opened = false;

  constructor(process: ReaderProcess, onDirty: () => void) {
    this.process = process;
    this.onDirty = onDirty;
    process.stdin.on("error", () => undefined);
    this.listen().then(
      () => this.fail(new ReaderError("the reader ended")),
      (error: unknown) =>
        this.fail(error instanceof Error ? error : new ReaderError(String(error))),
    );
  }

  get alive(): boolean {
    return this.gone === undefined;
  }

  async open(options: {
    home: string;
    scratch: string;
    known: FileList | undefined;
    watch: boolean;
    mark?: Mark;
  }): Promise<void> {
    const { home, scratch, known, watch, mark } = options;
    const files = (known?.files ?? []).map((file) => {
      const { path, mode, database, partSize, hashes } = observedOf(file);
      const head = { path, mode, database, hashes };
      return partSize === undefined ? head : Object.assign(head, { partSize });
    });
    const shape = [...shapeOf(known ?? { folders: [], links: [] })];
    const marked = mark === undefined ? {} : { mark };
    const command: ReaderCommand = {
      ...{ do: "open", home, scratch, known: files, shape, watch },
      ...marked,
    };
    const reply = await this.ask(command);
    if (reply.say !== "opened") throw new ReaderError(`unexpected answer: ${reply.say}`);
    this.opened = true;
  }

  async scan(
    resend: { path: string; parts: number[] }[],
    content: Waiting["content"],
  ): Promise<Scanned> {
    const reply = await this.ask({ do: "scan", resend }, content);
    if (reply.say !== "scanned") throw new ReaderError(`unexpected answer: ${reply.say}`);
    return reply;
  }

  /** `generation` is what the content equals now. Over when the home says so. */
  async settle(kept: boolean, generation?: number): Promise<void> {
    const now = generation === undefined ? {} : { generation };
    const reply = await this.ask({ do: "settle", kept, ...now });
    if (reply.say !== "settled") throw new ReaderError(`unexpected answer: ${reply.say}`);
  }

  /** Answers why it could not be written. */
  async mark(mark: Mark): Promise<string | undefined> {
    const reply = await this.ask({ do: "mark", mark });
    if (reply.say !== "marked") throw new ReaderError(`unexpected answer: ${reply.say}`);
    return reply.problem;
  }

  async check(
    home: string,
    scratch: string,
    databases: string[],
    remove: boolean,
  ): Promise<{ path: string; problem: string }[]> {
    const reply = await this.ask({ do: "check", home, scratch, databases, remove });
    if (reply.say !== "checked") throw new ReaderError(`unexpected answer: ${reply.say}`);
    return reply.problems;
  }

  /** Answers which could not be opened. */
  async purge(home: string, databases: string[]): Promise<{ path: string; problem: string }[]> {
    const reply = await this.ask({ do: "purge", home, databases });
    if (reply.say !== "checked") throw new ReaderError(`unexpected answer: ${reply.say}`);
    return reply.problems;
  }

  close(): void {
    this.process.stdin.end();
    this.process.end();
  }

  private ask(
    command: ReaderCommand,
    content: Waiting["content"] = () => Promise.reject(new ReaderError("content not asked for")),
  ): Promise<ReaderMessage> {
    if (this.gone !== undefined) return Promise.reject(this.gone);
    if (this.waiting !== undefined) return Promise.reject(new ReaderError("the reader is busy"));
    const answer = new Promise<ReaderMessage>((resolve, reject) => {
      this.waiting = { content, done: resolve, failed: reject };
    });
    this.expect();
    writeFrame(this.process.stdin, { json: command }).catch((error: unknown) =>
      this.fail(error instanceof Error ? error : new ReaderError(String(error))),
    );
    return answer.finally(() => {
      clearTimeout(this.timer);
      this.waiting = undefined;
    });
  }

  private expect(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.fail(new ReaderError(`the reader said nothing for ${SILENCE_MS} ms`));
      this.process.end();
    }, SILENCE_MS);
  }

  private goesOn(): void {
    if (this.waiting !== undefined) this.expect();
  }

  private async listen(): Promise<void> {
    let content: Content | undefined;
    for await (const frame of readFrames(this.process.stdout)) {
      if ("bytes" in frame) {
        if (content === undefined || frame.bytes.length !== content.size) {
          throw new ReaderError("bytes that were not announced");
        }
        // Until it is taken the reader waits, and not we for the reader.
        clearTimeout(this.timer);
        await this.waiting?.content(content, frame.bytes);
        content = undefined;
        this.goesOn();
        continue;
      }
      const message = readerMessage.parse(frame.json);
      if (message.say === "dirty") this.onDirty();
      else if (message.say === "checking") this.goesOn();
      else if (message.say === "content") content = message;
      else if (message.say === "failed") {
        this.waiting?.failed(new ReaderError(message.message, message.what));
      } else this.waiting?.done(message);
    }
  }

  private fail(error: Error): void {
    this.gone ??= error;
    this.waiting?.failed(error);
  }
}
