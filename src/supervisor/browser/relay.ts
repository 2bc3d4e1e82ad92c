/**
 * A Chrome debugging port for the agent's programs on loopback, relayed to the Worker's CDP proxy.
 * Nothing is read of what passes. There is no secret in it: the interceptor that answers the internal
 * name knows whose sandbox this is.
 */
import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { CDP_HOST_HEADER, INTERNAL_HOSTS } from "../../protocol/names.ts";
import { createServer, request as httpRequest } from "../http.ts";

export interface BrowserRelay {
  close(): void;
}

export interface BrowserRelayOptions {
  port: number;
  /** Told when the port cannot be opened; the agent then has no browser, and all else works. */
  onProblem(text: string): void;
}

/** A browser may have to be started first. */
const ANSWER_MS = 90_000;
const MAX_CONNECTIONS = 256;
const PASSED_ON = [
  "accept",
  "content-length",
  "content-type",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
];

export async function openBrowserRelay(options: BrowserRelayOptions): Promise<BrowserRelay> {
  const server = createServer((request, response) => relayRequest(request, response));
  server.on("upgrade", (request, client: Duplex, head: Buffer) =>
    relaySocket(request, client, head),
  );
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new Set<Duplex>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  try {
    await listen(server, options.port);
  } catch (error) {
    options.onProblem(`the browser's port ${options.port} could not be opened: ${String(error)}`);
  }
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

function relayRequest(request: IncomingMessage, response: ServerResponse): void {
  const upstream = ask(request, {});
  upstream.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  upstream.on("error", () => {
    if (response.headersSent) return void response.destroy();
    response.writeHead(502, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { code: "browser_unreachable" } }));
  });
  response.on("close", () => upstream.destroy());
  request.pipe(upstream);
}

function relaySocket(request: IncomingMessage, client: Duplex, head: Buffer): void {
  client.on("error", () => client.destroy());
  const upstream = ask(request, { Connection: "Upgrade", Upgrade: "websocket" });
  upstream.on("upgrade", (answer, worker, early) => {
    client.write(answerHead(answer));
    if (early.length > 0) client.write(early);
    if (head.length > 0) worker.write(head);
    worker.on("error", () => client.destroy());
    worker.on("close", () => client.destroy());
    client.on("close", () => worker.destroy());
    worker.pipe(client);
    client.pipe(worker);
  });
  upstream.on("response", (answer) => {
    client.write(answerHead(answer));
    answer.pipe(client);
  });
  upstream.on("error", () => client.destroy());
  client.on("close", () => upstream.destroy());
  upstream.end();
}

function ask(request: IncomingMessage, more: Record<string, string>) {
  const upstream = httpRequest({
    host: INTERNAL_HOSTS.browser,
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers: { ...passedOn(request.headers), ...more, [CDP_HOST_HEADER]: request.headers.host },
    agent: false,
  });
  const late = setTimeout(() => upstream.destroy(new Error("no answer in time")), ANSWER_MS);
  for (const settled of ["response", "upgrade", "close"]) {
    upstream.once(settled, () => clearTimeout(late));
  }
  return upstream;
}

function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = headers[name];
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

/** Of the answer to an upgrade, as it came; after a refusal the connection ends. */
function answerHead({ statusCode = 502, statusMessage, rawHeaders }: IncomingMessage): string {
  let head = `HTTP/1.1 ${statusCode} ${statusMessage ?? ""}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    const framing = /^(?:transfer-encoding|connection|keep-alive)$/i.test(name);
    if (statusCode === 101 || !framing) head += `${name}: ${rawHeaders[at + 1]}\r\n`;
  }
  return `${head}${statusCode === 101 ? "" : "Connection: close\r\n"}\r\n`;
}
