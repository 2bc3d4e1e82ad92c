/**
 * The network sidecar of one container name: the port through which the runtime enters the sandbox
 * and tells where its egress listener is. Fails closed: a connection whose owner is not this
 * process's user is dropped before a byte of it is read.
 */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { relay } from "../relay.ts";
import { type Authority, createAuthority } from "./certificates.ts";
import { type Egress, createEgress, egressSettings } from "./egress.ts";
import type { Peers } from "./peers.ts";

const LARGEST_SETTINGS = 1024 * 1024;

export type Sidecar = {
  /** Published on 127.0.0.1. */
  port: number;
  egress: Egress;
  close(): void;
};

export type SidecarOptions = {
  peers: Peers;
  /** A connection to a port of the sandbox that is behind this sidecar now. */
  dial: (port: number) => Promise<Socket>;
  refused: () => void;
};

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LARGEST_SETTINGS) throw new Error("the settings are too large");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  authority: Authority,
  egress: Egress,
): Promise<void> {
  if (request.method === "GET" && request.url === "/ca") {
    response.writeHead(200, { "content-type": "application/x-pem-file" });
    response.end(authority.certificate);
    return;
  }
  if (request.method === "PUT" && request.url === "/egress") {
    egress.configure(egressSettings.parse(JSON.parse(await readText(request))));
    response.writeHead(200).end();
    return;
  }
  response.writeHead(404).end();
}

/** `X-Dst-Addr` says `<address>:<port>`; the address is the sandbox itself, whatever it says. */
function portOf(request: IncomingMessage): number | undefined {
  const asked = request.headers["x-dst-addr"] ?? request.url ?? "";
  const port = Number(/:(\d{1,5})$/.exec(String(asked))?.[1]);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const authority = await createAuthority();
  const egress = createEgress(authority);
  const own = new WeakMap<Duplex, Promise<boolean>>();
  const sockets = new Set<Socket>();

  const server = createServer((request, response) => {
    void (async () => {
      if ((await own.get(request.socket)) !== true) return void request.socket.destroy();
      await serve(request, response, authority, egress).catch(() => {
        if (!response.headersSent) response.writeHead(400);
        response.end();
      });
    })();
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.setNoDelay(true);
    const checked = options.peers.isOwn(socket);
    own.set(socket, checked);
    void checked.then((ok) => {
      if (ok) return;
      options.refused();
      socket.destroy();
    });
  });
  server.on("connect", (request, client: Socket, head: Buffer) => {
    client.on("error", () => client.destroy());
    void (async () => {
      const port = portOf(request);
      const dialled = port === undefined ? undefined : options.dial(port).catch(() => undefined);
      const [ok, inside] = await Promise.all([own.get(client), dialled]);
      if (ok !== true || client.destroyed) {
        inside?.destroy();
        client.destroy();
        return;
      }
      if (inside === undefined) {
        client.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      inside.setNoDelay(true);
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      if (head.length > 0) client.unshift(head);
      relay(client, inside);
    })();
  });
  // A tunnel lives as long as its ends; the runtime sets its own deadlines.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the sidecar has no port");
  return {
    port: address.port,
    egress,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
