/** Joins a WebSocket of the Worker to one of Chromium, byte for byte, with the backpressure of pipes. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { relay } from "../../engine/relay.ts";
import type { BrowserSession } from "./sessions.ts";

export interface Passage {
  request: IncomingMessage;
  client: Socket;
  head: Buffer;
  session: BrowserSession;
  /** Path of the WebSocket at Chromium. */
  path: string;
}

/**
 * Of the handshake (RFC 6455 §4.1). Extensions are left out: compressing what goes from one process
 * to the next costs more than it saves. So is the origin, which Chromium refuses.
 */
const HANDSHAKE = ["sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"];

export async function passThrough({
  request,
  client,
  head,
  session,
  path,
}: Passage): Promise<void> {
  client.pause();
  const browser = await session.chromium.dial();
  if (client.destroyed) return void browser.destroy();
  client.setNoDelay(true);
  browser.setNoDelay(true);
  const headers = HANDSHAKE.flatMap((name) => {
    const value = request.headers[name];
    return typeof value === "string" ? [`${name}: ${value}`] : [];
  });
  browser.write(
    [
      `GET ${path} HTTP/1.1`,
      "Host: localhost",
      "Upgrade: websocket",
      "Connection: Upgrade",
      ...headers,
      "",
      "",
    ].join("\r\n"),
  );
  if (head.length > 0) browser.write(head);

  const used = (): void => {
    session.lastUsed = Date.now();
  };
  session.connections += 1;
  session.connectionId ??= randomUUID();
  session.connectionStartTime ??= Date.now();
  used();
  client.on("data", used);
  client.pause();
  browser.once("close", () => {
    used();
    session.connections -= 1;
    if (session.connections > 0) return;
    delete session.connectionId;
    delete session.connectionStartTime;
  });
  relay(client, browser);
}
