/** A model that works, behind a door that can be in trouble for the next request. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

export type Trouble =
  /** The connection ends before a byte came back. */
  | { kind: "drop" }
  /** Nothing comes back: no headers, or headers and nothing behind them. */
  | { kind: "hang"; headers: boolean }
  | { kind: "status"; status: number; headers?: Record<string, string> }
  /** The stream breaks after its first bytes. */
  | { kind: "cut" }
  /** A stream that is none: lines that no reader of the format understands, and an end. */
  | { kind: "malformed" };

export interface TroubledModel {
  url: string;
  /** The next request meets it. */
  meets(trouble: Trouble): void;
  /** Every request meets it while that is done. */
  keepsMeeting(trouble: Trouble, during: () => Promise<void>): Promise<void>;
  /** Models that were asked for, in order. */
  asked: string[];
  /** Nothing listens there while that is done: connections are refused. */
  away(during: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export async function startTroubledModel(behind: string): Promise<TroubledModel> {
  const asked: string[] = [];
  let next: Trouble | undefined;
  let lasting: Trouble | undefined;
  const server = createServer((request, response) => {
    const trouble = lasting ?? next;
    next = undefined;
    serve(request, response, trouble).catch(() => response.destroy());
  });

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    trouble: Trouble | undefined,
  ): Promise<void> {
    const body = await text(request);
    if (request.method === "POST") asked.push(/"model":\s*"([^"]*)"/.exec(body)?.[1] ?? "");
    switch (trouble?.kind) {
      case "drop":
        response.destroy();
        return;
      case "hang":
        if (trouble.headers) response.writeHead(200, STREAM).flushHeaders();
        return;
      case "status": {
        const error = { type: "error", error: { type: "api_error", message: "emulated" } };
        response.writeHead(trouble.status, {
          "content-type": "application/json",
          ...trouble.headers,
        });
        response.end(JSON.stringify(error));
        return;
      }
      case "malformed":
        response.writeHead(200, STREAM).end("event: what\ndata: {not json\n\ndata: []\n\n");
        return;
    }
    const answer = await fetch(`${behind}${request.url?.replace(/^\/openrouter/, "")}`, {
      method: request.method ?? "POST",
      headers: { "content-type": "application/json" },
      ...(body === "" ? {} : { body }),
    });
    response.writeHead(answer.status, {
      "content-type": answer.headers.get("content-type") ?? "application/json",
    });
    for await (const chunk of answer.body ?? []) {
      response.write(chunk);
      if (trouble?.kind !== "cut") continue;
      // A connection that ends at once takes with it what was just written.
      await sleep(CUT_AFTER_MS);
      response.destroy();
      return;
    }
    response.end();
  }

  async function listen(at: number): Promise<number> {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no address");
    return address.port;
  }
  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    meets(trouble) {
      next = trouble;
    },
    async keepsMeeting(trouble, during) {
      lasting = trouble;
      try {
        await during();
      } finally {
        lasting = undefined;
      }
    },
    asked,
    async away(during) {
      await close();
      try {
        await during();
      } finally {
        await listen(port);
      }
    },
    close,
  };
}

const CUT_AFTER_MS = 100;
const STREAM = { "content-type": "text/event-stream" };
