/**
 * The browser's only way out: an HTTP proxy (RFC 9110 §9.3.6 and §7.6) that decides on the host and
 * then on the very address it connects to, so that a name cannot answer differently the second time.
 * Every navigation, subresource, redirect and WebSocket of a page comes through here.
 *
 * Fails closed: no decision, no address or a forbidden one among several means no connection.
 */
import { lookup } from "node:dns/promises";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { within } from "../../engine/deadline.ts";
import { relay } from "../../engine/relay.ts";
import { isForbiddenAddress } from "./addresses.ts";
import { type BrowserPolicy, decideHost } from "./policy.ts";

const LOOKUP_DEADLINE = 10_000;
const CONNECT_DEADLINE = 20_000;

export interface Exit {
  /** Takes over a browser's connection to its proxy. */
  accept(socket: Socket): void;
  close(): void;
}

export interface ExitParts {
  policy: BrowserPolicy;
  /** Every address of a name. */
  resolve?(name: string): Promise<string[]>;
}

type Way = { ok: true; host: string; addresses: string[] } | { ok: false; message: string };

const REASONS = {
  "not-a-host": "that is no host",
  denied: "BROWSER_DENY names it",
  "not-allowed": "BROWSER_ALLOW does not name it",
  "internal-name": "it is a name of a private network; BROWSER_PRIVATE opens single hosts",
} as const;

const NO_HOST: Way = { ok: false, message: REASONS["not-a-host"] };

export function createExit({ policy, resolve = lookUp }: ExitParts): Exit {
  const sockets = new Set<Socket>();

  async function wayTo(host: string, port: number): Promise<Way> {
    const decided = decideHost(host, port, policy);
    if (!decided.ok) return { ok: false, message: REASONS[decided.reason] };
    const name = decided.host.replace(/^\[|\]$/g, "");
    const found = isIP(name) === 0 ? resolve(name) : Promise.resolve([name]);
    const addresses = await within(found, LOOKUP_DEADLINE, "a name lookup").catch(() => []);
    if (addresses.length === 0) return { ok: false, message: "its name was not found" };
    if (!decided.anyAddress && addresses.some(isForbiddenAddress)) {
      return {
        ok: false,
        message:
          "it leads to this machine or a private network; BROWSER_PRIVATE opens single hosts",
      };
    }
    return { ok: true, host: name, addresses };
  }

  async function tunnel(request: IncomingMessage, client: Socket, head: Buffer): Promise<void> {
    const target = authority(request.url ?? "");
    const way: Way = target === undefined ? NO_HOST : await wayTo(target.host, target.port);
    if (target === undefined || !way.ok) {
      const text = refusal(target?.host ?? "that", way.ok ? "" : way.message);
      client.end(
        `HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
      );
      return;
    }
    const outside = await dial(way, target.port).catch(() => undefined);
    if (outside === undefined || client.destroyed) {
      outside?.destroy();
      client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) client.unshift(head);
    relay(client, outside);
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : undefined;
    const port = Number(url?.port || 80);
    const way = url?.protocol === "http:" ? await wayTo(url.hostname, port) : NO_HOST;
    if (url === undefined || !way.ok) {
      response.writeHead(403, { "Content-Type": "text/plain; charset=utf-8" });
      response.end(refusal(url?.host ?? "that", way.ok ? "" : way.message));
      return;
    }
    const asked = httpRequest({
      host: way.host,
      port,
      lookup: pinned(way.addresses),
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...endToEnd(request.headers), host: url.host },
      setHost: false,
      agent: false,
      timeout: 0,
    });
    asked.on("socket", (socket) => {
      const late = setTimeout(
        () => asked.destroy(new Error("no connection in time")),
        CONNECT_DEADLINE,
      );
      for (const settled of ["connect", "close"]) socket.once(settled, () => clearTimeout(late));
    });
    asked.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    asked.on("error", () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    response.on("close", () => asked.destroy());
    request.pipe(asked);
  }

  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy());
  });
  server.requestTimeout = 0;
  server.on("connect", (request, client: Socket, head: Buffer) => {
    client.on("error", () => client.destroy());
    tunnel(request, client, head).catch(() => client.destroy());
  });
  server.on("clientError", (_error, socket) => socket.destroy());

  return {
    accept(socket) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      server.emit("connection", socket);
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function lookUp(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

/** Answers a connection's own lookup with the addresses that were decided on. */
function pinned(addresses: string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, options, done) => {
    const [first] = found;
    if (options.all === true || first === undefined) done(null, found);
    else done(null, first.address, first.family);
  };
}

function dial(way: Extract<Way, { ok: true }>, port: number): Promise<Socket> {
  const socket = connect({
    host: way.host,
    port,
    lookup: pinned(way.addresses),
    allowHalfOpen: true,
  });
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
  return within(connected, CONNECT_DEADLINE, "a connection").catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
}

/** `host:port` of a CONNECT request. */
function authority(target: string): { host: string; port: number } | undefined {
  const [, host = "", digits = ""] =
    /^(\[[0-9a-f:.]+\]|[^:[\]/@\s]+):(\d{1,5})$/i.exec(target) ?? [];
  const port = Number(digits);
  return host !== "" && port > 0 && port <= 65_535 ? { host, port } : undefined;
}

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

function refusal(host: string, why: string): string {
  return `The browser may not open ${host}: ${why}.\n`;
}
