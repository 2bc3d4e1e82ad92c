import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "../http.ts";
import type * as z from "zod";
import type { BootDocument } from "../../protocol/boot.ts";
import { bootDocument } from "../../protocol/boot.ts";
import type { RestorePlan } from "../../protocol/backup.ts";
import type {
  BackupReply,
  DeliverReply,
  DeliverRequest,
  DrillReply,
  HelloReply,
  LogLine,
  ProcessInfo,
  RpcReply,
  RpcRequest,
  SupervisorStatus,
  SuspendReply,
} from "../../protocol/control.ts";
import {
  deliverRequest,
  devicesUpdate,
  drillRequest,
  logsQuery,
  rpcRequest,
  stopRequest,
} from "../../protocol/control.ts";
import { messageOf } from "../log.ts";
import { bearerMatches } from "./bearer.ts";
import { decideBoot } from "./boot.ts";
import { readBody, sendJson } from "./http.ts";

/** What the control port can ask of a booted supervisor. */
export interface Booted {
  document: BootDocument;
  status(): Promise<SupervisorStatus>;
  /** Calls with each change; returns what ends it. */
  onStatus(listener: (status: SupervisorStatus) => void): () => void;
  rpc(request: RpcRequest): Promise<RpcReply>;
  setDevices(approved: readonly string[]): void;
  logs(query: { source?: LogLine["source"]; after?: number }): LogLine[];
  processes(): ProcessInfo[];
  backup(): Promise<BackupReply>;
  drill(plan: RestorePlan): Promise<DrillReply>;
  suspend(): Promise<SuspendReply>;
  resume(): Promise<void>;
  deliver(request: DeliverRequest): Promise<DeliverReply>;
  mark(): number;
  stop(deadlineMs: number): Promise<void>;
}

export interface ControlParts {
  booted(): Booted | undefined;
  boot(document: BootDocument): Booted;
  hello(): HelloReply;
  onError(text: string): void;
}

type Handler = (request: IncomingMessage, response: ServerResponse, booted: Booted) => unknown;

/** The config, and up to 1 MB of the messages that gateways of earlier starts took. */
const MAX_BOOT_BYTES = 2_500_000;
const MAX_BODY_BYTES = 256_000;
/** A message of a chat platform, as JSON once more. */
const MAX_DELIVERY_BYTES = 4_000_000;
const MAX_EVENT_STREAMS = 16;
const HEARTBEAT_MS = 20_000;

export function createControlServer(parts: ControlParts): Server {
  let streams = 0;

  const routes: Record<string, Handler> = {
    "GET /v1/status": async (_request, response, booted) =>
      sendJson(response, 200, await booted.status()),
    "GET /v1/events": stream,
    "POST /v1/rpc": withBody(rpcRequest, async (response, booted, body) =>
      sendJson(response, 200, await booted.rpc(body)),
    ),
    "PUT /v1/devices": withBody(devicesUpdate, (response, booted, body) => {
      booted.setDevices(body.approvedDevices);
      sendJson(response, 200, { ok: true });
    }),
    "GET /v1/logs": (request, response, booted) => {
      const query = logsQuery.safeParse(Object.fromEntries(urlOf(request).searchParams));
      if (!query.success) return sendJson(response, 400, { error: "malformed-query" });
      const { source, after } = query.data;
      const lines = booted.logs({
        ...(source === undefined ? {} : { source }),
        ...(after === undefined ? {} : { after }),
      });
      sendJson(response, 200, { lines });
    },
    "GET /v1/processes": (_request, response, booted) =>
      sendJson(response, 200, { processes: booted.processes() }),
    "POST /v1/backup": async (_request, response, booted) =>
      sendJson(response, 200, await booted.backup()),
    "POST /v1/drill": withBody(drillRequest, async (response, booted, body) =>
      sendJson(response, 200, await booted.drill(body.plan)),
    ),
    "POST /v1/suspend": async (_request, response, booted) =>
      sendJson(response, 200, await booted.suspend()),
    "POST /v1/resume": async (_request, response, booted) => {
      await booted.resume();
      sendJson(response, 200, { ok: true });
    },
    "POST /v1/deliver": withBody(
      deliverRequest,
      async (response, booted, body) => sendJson(response, 200, await booted.deliver(body)),
      MAX_DELIVERY_BYTES,
    ),
    "POST /v1/mark": (_request, response, booted) =>
      sendJson(response, 200, { mark: booted.mark() }),
    "POST /v1/stop": withBody(stopRequest, async (response, booted, body) => {
      await booted.stop(body.deadlineMs);
      sendJson(response, 200, await booted.status());
    }),
  };

  async function boot(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, bootDocument, MAX_BOOT_BYTES);
    if (!body.ok) return sendJson(response, body.status, { error: body.reason });
    const present = parts.booted();
    const decision = decideBoot(present?.document, body.value);
    if (!decision.ok) return sendJson(response, decision.status, { error: decision.reason });
    const booted = present ?? parts.boot(body.value);
    sendJson(response, 200, await booted.status());
  }

  async function stream(
    request: IncomingMessage,
    response: ServerResponse,
    booted: Booted,
  ): Promise<void> {
    if (streams >= MAX_EVENT_STREAMS) return sendJson(response, 429, { error: "too-many-streams" });
    streams += 1;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const send = (status: SupervisorStatus) =>
      void response.write(`event: status\ndata: ${JSON.stringify(status)}\n\n`);
    const heartbeat = setInterval(() => response.write(": still here\n\n"), HEARTBEAT_MS);
    const end = booted.onStatus(send);
    request.socket.once("close", () => {
      clearInterval(heartbeat);
      end();
      streams -= 1;
    });
    send(await booted.status());
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = `${request.method ?? ""} ${urlOf(request).pathname}`;
    if (route === "GET /v1/hello") return sendJson(response, 200, parts.hello());
    if (route === "POST /v1/boot") return boot(request, response);
    const booted = parts.booted();
    const authorized = bearerMatches(request.headers.authorization, booted?.document.controlToken);
    if (booted === undefined || !authorized) {
      response.setHeader("www-authenticate", "Bearer");
      return sendJson(response, 401, { error: "unauthorized" });
    }
    const handler = routes[route];
    if (handler === undefined) return sendJson(response, 404, { error: "no-such-route" });
    await handler(request, response, booted);
  }

  return createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      parts.onError(`control port: ${messageOf(error)}`);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: "internal" });
    });
  });
}

function withBody<T>(
  schema: z.ZodType<T>,
  handler: (response: ServerResponse, booted: Booted, body: T) => unknown,
  maxBytes = MAX_BODY_BYTES,
): Handler {
  return async (request, response, booted) => {
    const body = await readBody(request, schema, maxBytes);
    if (!body.ok) return sendJson(response, body.status, { error: body.reason });
    await handler(response, booted, body.value);
  };
}

function urlOf(request: IncomingMessage): URL {
  return URL.parse(request.url ?? "/", "http://sandbox") ?? new URL("http://sandbox/");
}
