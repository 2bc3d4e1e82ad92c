/**
 * A way out of a sandbox, asked of the runtime's egress listener. Fails closed: without its answer
 * nothing leaves.
 *
 * A runtime that died is there again within seconds, on another port. Of a connection without a tunnel
 * nothing has left yet, so it waits for that: cut, it would look to its client as if it might have
 * arrived, and what must not be sent twice would not be sent at all.
 */
import { request } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../deadline.ts";

export type Destination = { address: string; port: number };

/** Plaintext HTTP is expected, or the bytes are taken as they are. */
export type Tunnel = { socket: Socket; plaintext: boolean };

export interface TunnelParts {
  /** Where the runtime listens by now; undefined before it has ever said so. */
  port(): number | undefined;
  to: Destination;
  header: Record<string, string>;
  /** For whom: a client that has left is not waited for. */
  client: Socket;
}

/** How long the runtime may take to answer, the time in which it is not there included. */
const RUNTIME_DEADLINE = 30_000;
const PAUSE = 100;

export async function openTunnel(parts: TunnelParts): Promise<Tunnel> {
  const end = Date.now() + RUNTIME_DEADLINE;
  for (;;) {
    const tunnel = await ask(parts, end - Date.now());
    if (parts.client.destroyed) {
      if (tunnel !== "absent") tunnel.socket.destroy();
      throw new Error("the client has left");
    }
    if (tunnel !== "absent") return tunnel;
    if (Date.now() + PAUSE >= end) throw new Error("the egress listener is not there");
    await sleep(PAUSE);
  }
}

async function ask({ port, to, header }: TunnelParts, ms: number): Promise<Tunnel | "absent"> {
  const listener = port();
  if (listener === undefined) throw new Error("no egress listener is known yet");
  const address = to.address.includes(":") ? `[${to.address}]` : to.address;
  const target = `${address}:${to.port}`;
  const asked = request({
    host: "127.0.0.1",
    port: listener,
    method: "CONNECT",
    path: target,
    headers: { host: target, ...header },
    agent: false,
  });
  const answer = new Promise<Tunnel | "absent">((resolve, reject) => {
    asked.once("connect", (response, socket: Socket, head) => {
      if (head.length > 0) socket.unshift(head);
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 202) {
        return resolve({ socket, plaintext: status === 200 });
      }
      socket.destroy();
      reject(new Error(`the runtime answered ${status}`));
    });
    asked.once("response", (response) => {
      response.resume();
      reject(new Error(`the runtime answered ${response.statusCode}`));
    });
    asked.once("error", () => resolve("absent"));
    asked.end();
  });
  try {
    return await within(answer, ms, "the egress listener");
  } catch (error) {
    asked.destroy();
    throw error;
  }
}
