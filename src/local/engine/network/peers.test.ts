import { once } from "node:events";
import { type Socket, connect, createServer } from "node:net";
import { expect, it } from "vitest";
import { findTool, searchPath } from "../bubblewrap/host.ts";
import { createPeers, ownerIn } from "./peers.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 2 1
   2: 0100007F:C351 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 1
`;

it("finds the owner of the client's end", () => {
  expect(ownerIn(TABLE, 50_000, 8080)).toBe(1000);
});

it("does not take a closed connection, listed under root, for root's", () => {
  expect(ownerIn(TABLE, 50_001, 8080)).toBeUndefined();
});

it("finds no owner of an unknown connection", () => {
  expect(ownerIn(TABLE, 50_002, 8080)).toBeUndefined();
});

it.for([
  ["with the lookup program", true],
  ["from the table", false],
] as const)(
  "knows its own connection %s, and refuses one whose client has gone",
  async ([, program]) => {
    const peers = createPeers(
      program ? findTool("python3", searchPath(process.env["PATH"] ?? "")) : undefined,
    );
    const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const accepted = once(server, "connection");
    const client = connect(address.port, "127.0.0.1");
    const sockets: Socket[] = await accepted;
    for (const socket of sockets) {
      expect(await peers.isOwn(socket)).toBe(true);
      client.destroy();
      await once(socket.resume(), "end");
      expect(await peers.isOwn(socket)).toBe(false);
      socket.destroy();
    }
    server.close();
    peers.close();
  },
);
