/**
 * The way out for programs that run without a sandbox: an HTTP proxy on loopback in front of the
 * runtime's egress listener. It contains nothing: a program that ignores the proxy variables simply
 * uses the host's network.
 */
import { type Server, createServer, request as httpRequest } from "node:http";
import { type Socket, connect, createServer as createTcpServer } from "node:net";
import type { Egress } from "../network/egress.ts";

export type Proxy = { port: number; close(): void };

const CAPTURED_PORTS = new Set([80, 443]);

function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve(address.port);
    });
  });
}

export async function startProxy(egress: Egress): Promise<Proxy> {
  // A forwarded request is a connection to the captured port like any other: this server accepts
  // it, so that one code path decides about both kinds of client.
  const captured = createTcpServer({ allowHalfOpen: true }, (socket) => {
    egress.accept(socket, { address: "11.0.0.1", port: 80 });
  });
  const capturedPort = await listen(captured);
  const sockets = new Set<Socket>();

  const server = createServer((request, response) => {
    const url = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : undefined;
    if (url?.protocol !== "http:" || (url.port !== "" && url.port !== "80")) {
      response.writeHead(403).end("Only http:// on port 80 leaves this sandbox\n");
      return;
    }
    const forwarded = httpRequest({
      createConnection: () => connect(capturedPort, "127.0.0.1"),
      method: request.method ?? "GET",
      path: url.pathname + url.search,
      headers: { ...request.headers, host: url.host, connection: "close" },
    });
    forwarded.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on("error", () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    request.pipe(forwarded);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("connect", (request, client: Socket, head: Buffer) => {
    client.on("error", () => client.destroy());
    const [, host = "", digits = ""] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(request.url ?? "") ?? [];
    const port = Number(digits);
    if (host === "" || !CAPTURED_PORTS.has(port)) {
      client.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    if (head.length > 0) client.unshift(head);
    void egress.acceptNamed(client, host, port);
  });
  const port = await listen(server);
  return {
    port,
    close() {
      server.close();
      captured.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
