import { once } from "node:events";
import { connect as tcpConnect, createServer } from "node:net";
import { connect } from "node:tls";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { readClientHello } from "./client-hello.ts";

/** The bytes that Node's own TLS client sends first. */
async function captured(options: { servername?: string }): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(server, "connection");
  const client = connect({ socket: tcpConnect(address.port, "127.0.0.1"), ...options });
  client.on("error", () => {});
  const [socket] = await accepted;
  const [bytes] = await once(socket, "data");
  socket.destroy();
  client.destroy();
  server.close();
  return Buffer.from(bytes);
}

describe("readClientHello", () => {
  let hello: Buffer;
  beforeAll(async () => {
    hello = await captured({ servername: "Named.Example" });
  });

  it("finds the server name, in lower case", () => {
    expect(readClientHello(hello)).toEqual({ kind: "tls", serverName: "named.example" });
  });

  it("accepts a hello without a name", async () => {
    expect(readClientHello(await captured({}))).toEqual({ kind: "tls" });
  });

  it("asks for more while the hello is incomplete", () => {
    for (let length = 0; length < hello.length; length += 1) {
      expect(readClientHello(hello.subarray(0, length)).kind).toBe("incomplete");
    }
  });

  it("reads a hello that is split over several records", () => {
    const body = hello.subarray(5);
    const record = (part: Buffer): Buffer => {
      const head = Buffer.from([22, 3, 1, 0, 0]);
      head.writeUInt16BE(part.length, 3);
      return Buffer.concat([head, part]);
    };
    const split = Buffer.concat([record(body.subarray(0, 50)), record(body.subarray(50))]);
    expect(readClientHello(split)).toEqual({ kind: "tls", serverName: "named.example" });
  });

  it("says that other protocols are not TLS", () => {
    expect(readClientHello(Buffer.from("GET / HTTP/1.1\r\n"))).toEqual({ kind: "not-tls" });
    expect(readClientHello(Buffer.from("SSH-2.0-x\r\n"))).toEqual({ kind: "not-tls" });
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.nat(400),
        fc.boolean(),
        (noise, at, real) => {
          const bytes = real ? Buffer.from(hello) : Buffer.from(noise);
          if (real)
            bytes.set(
              noise.subarray(0, Math.max(0, bytes.length - at)),
              Math.min(at, bytes.length),
            );
          expect(["incomplete", "not-tls", "tls"]).toContain(readClientHello(bytes).kind);
        },
      ),
    );
  });
});
