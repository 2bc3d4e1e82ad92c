/** What the emulators of model providers share: a recording loopback server and its faults. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

/** What the emulator does with the next request instead of answering it well. */
export type Fault =
  | { kind: "error"; status: number; headers?: Record<string, string>; message?: string }
  /** An error whose body holds the key it was called with. */
  | { kind: "echo-key"; status: number }
  /** Never answers. */
  | { kind: "hang" }
  | { kind: "slow-headers"; ms: number }
  /** Breaks the connection after this many events of the stream. */
  | { kind: "cut"; afterEvents: number }
  /** Goes silent after this many events, with the connection open. */
  | { kind: "stall"; afterEvents: number }
  /** Goes on with comments after this many events, for as long as somebody listens. */
  | { kind: "endless"; afterEvents: number; with?: Answer }
  | { kind: "redirect"; location: string }
  | { kind: "gzip" }
  /** These very bytes. */
  | { kind: "raw"; status: number; headers: Record<string, string>; body: string };

export interface Recorded {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Whether the client went away before it had the whole answer. */
  cancelled: boolean;
}

export interface Emulator {
  /** `http://127.0.0.1:port`. */
  url: string;
  requests: Recorded[];
  last(): Recorded;
  /** Faults of the next requests, in order; after them every request is answered well again. */
  fail(...faults: Fault[]): void;
  /** The fault of every request from now on, until it is taken away; the ones in order come first. */
  keepFailing(fault?: Fault): void;
  /** Everything that was sent as the body of the latest answer. */
  sent(): string;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** One element an event for a stream, otherwise one for everything. */
  chunks: string[];
}

export interface ProviderFormat {
  answer(request: Recorded): Answer;
  error(status: number, message: string): Answer;
}

export async function startEmulator(format: ProviderFormat): Promise<Emulator> {
  const requests: Recorded[] = [];
  const faults: Fault[] = [];
  let always: Fault | undefined;
  let sent = "";

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded: Recorded = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: Buffer.alloc(0),
      cancelled: false,
    };
    requests.push(recorded);
    response.on("close", () => {
      recorded.cancelled = !response.writableFinished;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    recorded.body = Buffer.concat(chunks);
    sent = "";
    await send(response, recorded, faults.shift() ?? always);
  }

  async function send(response: ServerResponse, recorded: Recorded, fault: Fault | undefined) {
    if (fault?.kind === "hang") return;
    if (fault?.kind === "slow-headers") await sleep(fault.ms);
    if (fault?.kind === "redirect") {
      response.writeHead(307, { location: fault.location }).end();
      return;
    }
    const answer = answerOf(recorded, fault);
    const whole = answer.chunks.join("");
    if (fault?.kind === "gzip") {
      sent = whole;
      response.writeHead(answer.status, { ...answer.headers, "content-encoding": "gzip" });
      response.end(gzipSync(whole));
      return;
    }
    response.writeHead(answer.status, answer.headers);
    for (const [index, chunk] of answer.chunks.entries()) {
      if (fault !== undefined && "afterEvents" in fault && index >= fault.afterEvents) {
        if (fault.kind === "cut") response.destroy();
        if (fault.kind === "endless") await trickle(response);
        return;
      }
      sent += chunk;
      response.write(chunk);
      // Each event is a packet of its own.
      await sleep(1);
    }
    response.end();
  }

  function answerOf(recorded: Recorded, fault: Fault | undefined): Answer {
    if (fault?.kind === "raw") {
      return { status: fault.status, headers: fault.headers, chunks: [fault.body] };
    }
    if (fault?.kind === "endless" && fault.with !== undefined) return fault.with;
    if (fault?.kind === "echo-key") {
      const key = recorded.headers["x-api-key"] ?? recorded.headers.authorization ?? "";
      return format.error(fault.status, `The key ${String(key)} is wrong.`);
    }
    if (fault?.kind !== "error") return format.answer(recorded);
    const answer = format.error(fault.status, fault.message ?? "emulated");
    return { ...answer, headers: { ...answer.headers, ...fault.headers } };
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    last() {
      const latest = requests.at(-1);
      if (latest === undefined) throw new Error("the emulator was not called");
      return latest;
    },
    fail: (...next) => {
      faults.push(...next);
    },
    keepFailing(fault) {
      always = fault;
    },
    sent: () => sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function trickle(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    response.write(": still here\n\n");
    await sleep(10);
  }
}

export function jsonAnswer(
  status: number,
  body: object,
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    chunks: [JSON.stringify(body)],
  };
}

export function streamAnswer(events: string[], headers: Record<string, string> = {}): Answer {
  return {
    status: 200,
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      ...headers,
    },
    chunks: events,
  };
}
