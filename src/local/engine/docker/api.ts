/**
 * The part of the Docker Engine API that workerd calls, on a unix socket that only this user can
 * reach. A path or method outside it answers 501, so that a new runtime's new call is seen at once.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { Socket } from "node:net";
import { ZodError } from "zod";
import type { Containers } from "./containers.ts";
import type { Execs } from "./execs.ts";
import { Refusal } from "./refusal.ts";
import type { Answer, Route } from "./route.ts";
import { API_VERSION, dockerRoutes } from "./routes.ts";

async function answer(routes: Route[], request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? "/", "http://engine");
  const pathname = url.pathname.replace(/^\/v1\.\d+(?=\/)/, "");
  for (const { method, path, run } of routes) {
    const match = method === request.method ? path.exec(pathname) : null;
    if (match === null) continue;
    const groups = match.slice(1).map((part) => decodeURIComponent(part));
    return run({ request, response, query: url.searchParams, path: groups });
  }
  throw new Refusal(501, `This engine does not know ${request.method} ${pathname}`);
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const malformed =
    error instanceof ZodError || error instanceof SyntaxError || error instanceof URIError;
  return new Refusal(malformed ? 400 : 500, error instanceof Error ? error.message : String(error));
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "api-version": API_VERSION,
  });
  response.end(text);
}

/** Reads the body that follows the headers of an upgrade request, and leaves the rest unread. */
async function skipBody(client: Socket, head: Buffer, length: number): Promise<void> {
  if (head.length > length) client.unshift(head.subarray(length));
  let left = length - head.length;
  while (left > 0) {
    const chunk: unknown = client.read(Math.min(left, client.readableLength || left));
    if (Buffer.isBuffer(chunk)) left -= chunk.length;
    else await new Promise((resolve) => client.once("readable", resolve));
  }
}

async function attach(execs: Execs, request: IncomingMessage, client: Socket, head: Buffer) {
  client.on("error", () => client.destroy());
  try {
    const id = /\/exec\/(\w+)\/start$/.exec(request.url ?? "")?.[1] ?? "";
    const exec = execs.get(id);
    await skipBody(client, head, Number(request.headers["content-length"] ?? 0));
    client.write(
      "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n" +
        "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    );
    execs.startAttached(exec, client);
  } catch (error) {
    const { status, message } = refusalOf(error);
    const body = JSON.stringify({ message });
    client.end(
      `HTTP/1.1 ${status} Refused\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
}

export function createDockerApi(containers: Containers, execs: Execs): Server {
  const routes = dockerRoutes(containers, execs);
  const server = createServer((request, response) => {
    answer(routes, request, response).then(
      (result) => {
        if (result !== undefined) send(response, result);
      },
      (error: unknown) => {
        const { status, message } = refusalOf(error);
        request.resume();
        if (!response.headersSent) send(response, { status, body: { message } });
        else response.destroy();
      },
    );
  });
  server.on("upgrade", (request, client, head) => {
    if (client instanceof Socket) void attach(execs, request, client, head);
    else client.destroy();
  });
  // `wait` is open for as long as a sandbox runs.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  return server;
}
