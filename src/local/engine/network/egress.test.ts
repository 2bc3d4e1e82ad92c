import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { createAuthority } from "./certificates.ts";
import { createEgress } from "./egress.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listening(server: Server, port = 0): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A runtime's egress listener, which echoes what comes through a tunnel. */
async function startRuntime(asked: string[]): Promise<{ port: number; die(): void }> {
  const sockets = new Set<Socket>();
  const server = createHttpServer();
  server.on("connect", (request, socket: Socket, head: Buffer) => {
    asked.push(`${request.url} ${request.headers["x-hostname"]}`);
    socket.on("error", () => socket.destroy());
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.write(head);
    socket.pipe(socket);
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  const port = await listening(server);
  return {
    port,
    die() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A program of the sandbox that asks a host for something. */
async function program(): Promise<{
  egress: ReturnType<typeof createEgress>;
  ask(): Promise<Socket>;
}> {
  const egress = createEgress(await createAuthority());
  const captured = await listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      egress.accept(socket, { address: "11.0.0.1", port: 80 });
    }),
  );
  return {
    egress,
    async ask() {
      const client = connect(captured, "127.0.0.1");
      closers.push(() => client.destroy());
      await once(client, "connect");
      client.write(REQUEST);
      return client;
    },
  };
}

const REQUEST = "GET / HTTP/1.1\r\nHost: api.example\r\n\r\n";

it("a connection made while the runtime is dead goes out when it is there again, on another port", async () => {
  const { egress, ask } = await program();
  const asked: string[] = [];
  const first = await startRuntime(asked);
  egress.configure({ port: first.port });
  const before = await ask();
  expect(String((await once(before, "data"))[0])).toBe(REQUEST);
  first.die();
  await once(before, "close");

  // What is left of a port whose owner was killed: nobody answers.
  const remains = createServer((socket) => socket.destroy());
  await listening(remains, first.port);
  const tried = once(remains, "connection");
  const client = await ask();
  const answered = once(client, "data");
  await tried;
  const second = await startRuntime(asked);
  egress.configure({ port: second.port });
  expect(String((await answered)[0])).toBe(REQUEST);
  expect(asked).toEqual(Array(2).fill("11.0.0.1:80 api.example"));
});

it("a runtime that refuses is not asked again, and one that never was is not waited for", async () => {
  const { egress, ask } = await program();
  await once(await ask(), "close");
  const asked: string[] = [];
  const server = createHttpServer();
  server.on("connect", (request, socket: Socket) => {
    asked.push(request.url ?? "");
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  egress.configure({ port: await listening(server) });
  await once(await ask(), "close");
  expect(asked).toEqual(["11.0.0.1:80"]);
});
