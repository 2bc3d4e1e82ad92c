import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, request as httpRequest } from "../http.ts";
import { answerHeaders, forwardedHeaders, headerPairs } from "./forwarding.ts";
import { decidePath } from "./paths.ts";

export interface HttpProxy {
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): void;
}

/** The gateway has this long to begin its answer. */
const ANSWER_MS = 120_000;

/** Streams HTTP both ways between a client of the front port and the gateway. */
export function createHttpProxy(options: { gatewayPort: number; isReady(): boolean }): HttpProxy {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 16 });

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const target = decidePath(request.url ?? "");
    if (!target.ok) return answerJson(response, target.status, target.reason);
    if (!options.isReady()) return answerJson(response, 503, "not-ready");

    const upstream = httpRequest({
      agent,
      host: "127.0.0.1",
      port: options.gatewayPort,
      method: request.method ?? "GET",
      path: target.path,
      headers: forwardedHeaders(headerPairs(request.rawHeaders)).flat(),
      setHost: false,
    });
    const late = setTimeout(() => upstream.destroy(new Error("no answer in time")), ANSWER_MS);
    upstream.on("response", (answer) => {
      clearTimeout(late);
      response.writeHead(answer.statusCode ?? 502, answerHeaders(answer.rawHeaders));
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    upstream.on("error", () => {
      clearTimeout(late);
      if (response.headersSent) response.destroy();
      else answerJson(response, 502, "gateway-unreachable");
    });
    response.on("close", () => {
      clearTimeout(late);
      if (!response.writableFinished) upstream.destroy();
    });
    request.pipe(upstream);
  }

  return { handle, close: () => agent.destroy() };
}

export function answerJson(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    ...(status === 503 ? { "retry-after": "1" } : {}),
  });
  response.end(JSON.stringify({ error: reason }));
}
