/**
 * The built-in demo model as an HTTP server on loopback: what `npm start` runs when no provider is
 * configured. It speaks OpenAI's two formats and Anthropic's, and needs no network and no key.
 *
 * Fails closed towards browsers: a page of any site could otherwise talk to it, by its own address
 * or by a name that resolves here.
 */
import { DEMO_MODEL } from "../../protocol/names.ts";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { answer } from "./behaviour.ts";
import { chatCompletions } from "./chat-completions.ts";
import { usageOf } from "./conversation.ts";
import { messages } from "./messages.ts";
import { openaiError } from "./openai-error.ts";
import { responses } from "./responses.ts";
import type { Rendering, StreamEvent, WireFormat } from "./wire.ts";

const FORMATS: readonly WireFormat[] = [chatCompletions, responses, messages];
const MAX_BODY_BYTES = 64 * 1_048_576;

export interface DemoModelOptions {
  /** 0, the default, takes any free one. */
  port?: number;
  host?: "127.0.0.1";
  /** Pause after each streamed word, in milliseconds. */
  wordMs?: number;
}

export interface DemoModel {
  /** With `/v1`: what `OPENAI_BASE_URL` is set to. `ANTHROPIC_BASE_URL` takes it as well. */
  url: string;
  port: number;
  /** Ends open streams too. */
  close(): Promise<void>;
}

export async function startDemoModel(options: DemoModelOptions = {}): Promise<DemoModel> {
  const { port = 0, host = "127.0.0.1", wordMs = 15 } = options;
  const server = createServer((request, response) => {
    handle(request, response, wordMs).catch(() => response.destroy());
  });
  await listen(server, port, host);
  const address = server.address();
  const taken = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://${host}:${taken}/v1`,
    port: taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function handle(request: IncomingMessage, response: ServerResponse, wordMs: number) {
  const path = (request.url ?? "/").replace(/\?.*$/s, "");
  const format = FORMATS.find((one) => one.path.test(path));
  const fail = (status: number, message: string) =>
    json(response, status, (format?.error ?? openaiError)(status, message));

  if (!isLocalProgram(request)) return fail(403, "Only programs on this machine are answered.");
  if (path === "/v1/models" && request.method === "GET") return json(response, 200, MODELS);
  if (format === undefined || !path.startsWith("/v1/") || path.split("/").length > 4) {
    return fail(404, "The demo model has no such path.");
  }
  if (request.method !== "POST") return fail(405, "This path takes POST only.");

  const body = await readBody(request);
  if (body === undefined) return fail(413, "The request is too large.");
  const read = format.read(parseJson(body));
  if (!read.ok) return fail(400, read.problem);

  const { question } = read;
  const reply = answer(question);
  const rendering: Rendering = {
    reply,
    model: question.model,
    usage: usageOf(body.byteLength, reply),
    id: randomUUID().replaceAll("-", ""),
    created: Math.floor(Date.now() / 1000),
  };
  if (!question.stream) return json(response, 200, format.whole(rendering));
  return stream(response, format.stream(rendering), wordMs);
}

const MODELS = {
  object: "list",
  data: [
    {
      id: DEMO_MODEL,
      object: "model",
      type: "model",
      display_name: "moltworker demo model",
      created: 0,
      created_at: "1970-01-01T00:00:00Z",
      owned_by: "moltworker",
    },
  ],
  has_more: false,
  first_id: DEMO_MODEL,
  last_id: DEMO_MODEL,
};

/** Not a page's request, and not one that came here by a name which an outside site owns. */
function isLocalProgram({ headers }: IncomingMessage): boolean {
  const host = (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
  const site = headers["sec-fetch-site"];
  return (
    (host === "127.0.0.1" || host === "localhost") &&
    headers.origin === undefined &&
    (site === undefined || site === "none")
  );
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // The request stays open, so that a refusal still reaches the client.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  const headers = {
    "content-type": "application/json",
    // What is left of a refused body is not read.
    ...(status === 413 ? { connection: "close" } : {}),
  };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

async function stream(response: ServerResponse, events: StreamEvent[], wordMs: number) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (const { text, pause } of events) {
    if (response.destroyed) return;
    response.write(text);
    if (pause) await sleep(wordMs);
  }
  response.end();
}
