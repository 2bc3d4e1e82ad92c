/**
 * The browser binding's HTTP interface on a unix socket, as Cloudflare's Browser Run speaks it
 * (https://developers.cloudflare.com/browser-run/cdp/session-management/), so that the Worker's code
 * is the same in both places. WebSockets are passed through as bytes: no frame is looked at.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserSession, Sessions } from "./sessions.ts";
import { passThrough } from "./websocket.ts";

export interface BrowserService {
  close(): Promise<void>;
}

const DEFAULT_KEEP_ALIVE = 60_000;
const KEEP_ALIVE = { least: 1_000, most: 1_200_000 };
const ID = "[0-9a-f-]{36}";
const TARGET = "[A-Za-z0-9-]{1,64}";
const BROWSER = new RegExp(`^/v1/devtools/browser/(${ID})$`);
const PAGE = new RegExp(`^/v1/devtools/browser/(${ID})/page/(${TARGET})$`);
const JSON_CALL = new RegExp(
  `^/v1/devtools/browser/(${ID})(/json(?:/(?:version|list|protocol|new|(?:activate|close)/${TARGET}))?)$`,
);
const SESSION = new RegExp(`^/v1/devtools/session/(${ID})$`);
/** What a full house is told to wait, in seconds. */
const RETRY_AFTER = 5;
const ENDING_MS = 3_000;

export async function openBrowserService(
  socketPath: string,
  sessions: Sessions,
  most: number,
): Promise<BrowserService> {
  const server = createServer((request, response) => {
    answer(request, response, sessions, most).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      reply(response, 502, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  server.on("upgrade", (request, socket: Socket, head: Buffer) => {
    upgrade(request, socket, head, sessions).catch(() => refuse(socket, "502 Bad Gateway"));
  });
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(socketPath, resolve);
  });
  // It opens browsers: only this user may speak to it.
  await chmod(socketPath, 0o600);
  return {
    async close() {
      server.close();
      await sessions.closeAll();
      server.closeAllConnections();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  sessions: Sessions,
  most: number,
): Promise<void> {
  const { pathname, search, searchParams } = new URL(request.url ?? "/", "http://browser");
  const route = `${request.method} ${pathname}`;
  const [, id = "", call = ""] = JSON_CALL.exec(pathname) ?? [];
  if (route === "POST /v1/devtools/browser") {
    const session = await sessions.acquire(keepAlive(searchParams.get("keep_alive")));
    if (session !== "limit") return reply(response, 200, { sessionId: session.id });
    response.setHeader("Retry-After", String(RETRY_AFTER));
    return reply(response, 429, { error: `This machine runs ${most} browsers at most.` });
  }
  if (route === "GET /v1/devtools/session") return reply(response, 200, sessions.list().map(view));
  if (route === "GET /v1/history") return reply(response, 200, sessions.history());
  if (route === "GET /v1/limits") {
    const active = sessions.list().map((session) => ({ id: session.id }));
    return reply(response, 200, {
      activeSessions: active,
      maxConcurrentSessions: most,
      allowedBrowserAcquisitions: Math.max(0, most - active.length),
      timeUntilNextAllowedBrowserAcquisition: active.length < most ? 0 : RETRY_AFTER * 1_000,
    });
  }
  const session = sessions.get(
    id || (BROWSER.exec(pathname)?.[1] ?? SESSION.exec(pathname)?.[1] ?? ""),
  );
  if (session === undefined) return reply(response, 404, { error: "Session not found" });
  if (call === "/json/protocol" && !session.chromium.describesProtocol) {
    return reply(response, 501, { error: "This Chromium carries no description of its protocol." });
  }
  if (id !== "") {
    // The list is what whoever looks after the sessions asks for: that is no use of one.
    if (call !== "/json/list") session.lastUsed = Date.now();
    const asked = session.chromium.ask(request.method ?? "GET", chromiumCall(call, search));
    const answered = await asked.catch((error: unknown) => unlessEnding(session, error));
    if (answered === undefined) return reply(response, 404, { error: "Session not found" });
    response.writeHead(answered.status, { "Content-Type": "application/json; charset=UTF-8" });
    response.end(answered.text);
    return;
  }
  if (request.method === "DELETE" && BROWSER.test(pathname)) {
    await sessions.close(session.id);
    return reply(response, 200, { status: "closed" });
  }
  if (request.method === "GET" && SESSION.test(pathname))
    return reply(response, 200, view(session));
  return reply(response, 405, { error: "No such call" });
}

/** The service names the address as a parameter, Chromium takes it as the whole query. */
function chromiumCall(call: string, search: string): string {
  if (call !== "/json/new") return call;
  const url = new URLSearchParams(search).get("url");
  return url === null || url === "" ? call : `${call}?${encodeURIComponent(url)}`;
}

async function upgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  sessions: Sessions,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  const { pathname } = new URL(request.url ?? "/", "http://browser");
  const [, page = "", target = ""] = PAGE.exec(pathname) ?? [];
  const session = sessions.get(page || (BROWSER.exec(pathname)?.[1] ?? ""));
  if (session === undefined) {
    return refuse(socket, "404 Not Found");
  }
  const path = target === "" ? session.chromium.devtoolsPath : `/devtools/page/${target}`;
  try {
    await passThrough({ request, client: socket, head, session, path });
  } catch (error) {
    await unlessEnding(session, error);
    refuse(socket, "404 Not Found");
  }
}

/** A Chromium that has just died does not answer a moment before it is known to be gone. */
async function unlessEnding({ chromium }: BrowserSession, error: unknown): Promise<undefined> {
  const ended = await Promise.race([
    chromium.exited.then(() => true),
    sleep(ENDING_MS, false, { ref: false }),
  ]);
  if (!ended) throw error;
}

function refuse(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

function keepAlive(text: string | null): number {
  const ms = text === null ? DEFAULT_KEEP_ALIVE : Number(text);
  if (!Number.isFinite(ms)) return DEFAULT_KEEP_ALIVE;
  return Math.min(KEEP_ALIVE.most, Math.max(KEEP_ALIVE.least, ms));
}

function view({
  id,
  startTime,
  connectionId,
  connectionStartTime,
  lastUsed,
}: BrowserSession): object {
  return { sessionId: id, startTime, connectionId, connectionStartTime, lastUpdated: lastUsed };
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify(body));
}
