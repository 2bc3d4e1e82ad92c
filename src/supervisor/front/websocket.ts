import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Devices } from "./devices.ts";
import { endSocket } from "./farewell.ts";
import { forwardedHeaders, headerPairs } from "./forwarding.ts";
import { guardSocket } from "./guarded-socket.ts";
import { decidePath } from "./paths.ts";

export interface WebSocketProxyOptions {
  gatewayPort: number;
  isReady(): boolean;
  devices(): Devices | undefined;
  onUnrecordedDevice(deviceId: string): void;
}

const ANSWER_MS = 15_000;
const MAX_ANSWER_HEAD = 16_384;

/** Only the gateway's own socket is offered; its other upgrade paths know no device. */
const SOCKET_PATHS = new Set(["/", "/ws"]);

/** Passes a WebSocket upgrade to the gateway and, once that agreed, guards what flows. */
export function proxyUpgrade(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  options: WebSocketProxyOptions,
): void {
  client.on("error", () => client.destroy());
  const target = decidePath(request.url ?? "");
  if (!target.ok) return answer(client, target.status, target.reason);
  const [path = "", query] = target.path.split("?", 2);
  if (!isWebSocketRequest(request)) return answer(client, 400, "not-a-websocket-request");
  if (!SOCKET_PATHS.has(path)) return answer(client, 404, "no-socket-here");
  const devices = options.devices();
  if (devices === undefined || !options.isReady()) return answer(client, 503, "not-ready");

  const gateway = connect({ host: "127.0.0.1", port: options.gatewayPort });
  gateway.setNoDelay(true);
  gateway.setTimeout(ANSWER_MS, () => gateway.destroy(new Error("no answer in time")));
  gateway.once("connect", () => {
    gateway.write(upgradeRequest(request, query === undefined ? "/" : `/?${query}`));
  });
  const fail = () => {
    gateway.destroy();
    answer(client, 502, "gateway-unreachable");
  };
  gateway.once("error", fail);
  gateway.once("close", fail);
  client.once("close", () => gateway.destroy());

  let received = Buffer.alloc(0);
  gateway.on("data", function onData(chunk: Buffer) {
    received = Buffer.concat([received, chunk]);
    const end = received.indexOf("\r\n\r\n");
    if (end < 0 && received.length <= MAX_ANSWER_HEAD) return;
    gateway.off("data", onData);
    gateway.off("error", fail);
    gateway.off("close", fail);
    gateway.on("error", () => gateway.destroy());
    gateway.setTimeout(0);
    const said = received.subarray(0, Math.max(end, 0)).toString("latin1");
    // A compressed stream could not be read by the guard, so none may have been agreed on.
    if (end < 0 || /^sec-websocket-extensions:/im.test(said)) return fail();
    client.write(received.subarray(0, end + 4));
    const rest = received.subarray(end + 4);
    if (!said.startsWith("HTTP/1.1 101 ")) {
      client.write(rest);
      gateway.pipe(client);
      return;
    }
    guardSocket({
      client,
      gateway,
      clientHead: head,
      gatewayHead: rest,
      devices,
      onUnrecordedDevice: options.onUnrecordedDevice,
    });
  });
}

function isWebSocketRequest(request: IncomingMessage): boolean {
  return (
    request.method === "GET" &&
    request.headers.upgrade?.toLowerCase() === "websocket" &&
    /^[A-Za-z0-9+/]{22}==$/.test(request.headers["sec-websocket-key"] ?? "")
  );
}

/** Without extensions: compressed frames could not be read by the device guard. */
function upgradeRequest(request: IncomingMessage, target: string): string {
  const headers = forwardedHeaders(headerPairs(request.rawHeaders)).filter(
    ([name]) => !/^(?:sec-websocket-extensions|content-length)$/i.test(name),
  );
  const lines = [...headers, ["Connection", "Upgrade"], ["Upgrade", "websocket"]].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

function answer(client: Duplex, status: number, reason: string): void {
  if (client.destroyed || client.writableEnded) return;
  const body = JSON.stringify({ error: reason });
  endSocket(
    client,
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const REASONS: Record<number, string> = {
  400: "Bad Request",
  404: "Not Found",
  502: "Bad Gateway",
  503: "Service Unavailable",
};
