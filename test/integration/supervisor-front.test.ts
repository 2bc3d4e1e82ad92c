import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDevices } from "../../src/supervisor/front/devices.ts";
import { createFront } from "../../src/supervisor/front/front-server.ts";
import type { Front } from "../../src/supervisor/front/front-server.ts";

/** The front port before a program that says what reached it. */
describe("the front port", () => {
  let upstream: Server;
  let front: Front;
  let port: number;
  let ready = true;

  beforeAll(async () => {
    upstream = createServer((request, response) => {
      if (request.url === "/hang-up") return request.socket.destroy();
      if (request.url === "/large") return response.end(Buffer.alloc(20_000_000, 97));
      let size = 0;
      request.on("data", (chunk: Buffer) => (size += chunk.length));
      request.on("end", () => {
        response.setHeader("set-cookie", ["a=1", "b=2"]);
        response.end(
          JSON.stringify({
            url: request.url,
            method: request.method,
            headers: request.headers,
            size,
          }),
        );
      });
    });
    upstream.on("upgrade", (_request, socket) => {
      // Agrees on what it was not asked for.
      socket.end(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
      );
    });
    const gatewayPort = await listen(upstream);
    const devices = createDevices([]);
    front = createFront({
      gatewayPort,
      isReady: () => ready,
      devices: () => devices,
      onUnrecordedDevice: () => undefined,
    });
    port = await listen(front.server);
  });
  afterAll(() => {
    front.close();
    upstream.closeAllConnections();
    upstream.close();
  });

  it("tells the gateway who asks, whatever the client says", async () => {
    const reply = await ask("/page?x=1", {
      headers: {
        "x-moltworker-client": "203.0.113.9",
        "x-moltworker-proto": "https",
        "x-moltworker-host": "agent.example",
        "x-forwarded-for": "127.0.0.1",
        forwarded: "for=127.0.0.1",
        "x-real-ip": "127.0.0.1",
        "x-openclaw-scopes": "operator.admin",
        accept: "text/html",
      },
    });
    const seen = JSON.parse(reply.body);
    expect(seen.url).toBe("/page?x=1");
    expect(seen.headers).toMatchObject({
      host: "agent.example",
      accept: "text/html",
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "agent.example",
    });
    const names = Object.keys(seen.headers);
    expect(names.filter((name) => /forwarded$|real-ip|openclaw|moltworker/.test(name))).toEqual([]);
    expect(reply.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  });

  it("streams bodies both ways", async () => {
    const up = await ask("/up", { method: "POST", body: Buffer.alloc(20_000_000, 98) });
    expect(JSON.parse(up.body)).toMatchObject({ method: "POST", size: 20_000_000 });
    expect((await ask("/large")).body).toHaveLength(20_000_000);
  });

  it("a gateway that hangs up is a 502, one that is not ready a 503", async () => {
    expect(await ask("/hang-up")).toMatchObject({
      status: 502,
      body: '{"error":"gateway-unreachable"}',
    });
    ready = false;
    expect(await ask("/page")).toMatchObject({ status: 503, body: '{"error":"not-ready"}' });
    ready = true;
  });

  it.each([
    ["GET //tools/invoke HTTP/1.1", 404],
    ["GET /%74ools/invoke HTTP/1.1", 404],
    ["GET /x/..%2fv1/models HTTP/1.1", 404],
    ["GET /a/../b HTTP/1.1", 400],
    ["GET http://elsewhere/ HTTP/1.1", 400],
    ["GET /a%00 HTTP/1.1", 400],
    ["NONSENSE", 400],
  ])("%s is answered %i", async (line, status) => {
    expect(await raw(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`)).toContain(
      `HTTP/1.1 ${status} `,
    );
  });

  it("an oversized header is a 431", async () => {
    const header = `X-Large: ${"x".repeat(40_000)}`;
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)).toContain("HTTP/1.1 431 ");
  });

  it.each([
    ["an upgrade to something else", "/", "Upgrade: h2c\r\nConnection: Upgrade", 400],
    ["one without a key", "/", "Upgrade: websocket\r\nConnection: Upgrade", 400],
    ["one to another path", "/desktop/observe", upgradeHeaders(), 404],
    ["one to a closed path", "/__openclaw__/worker", upgradeHeaders(), 404],
    ["one to a path that can be read in two ways", "//ws", upgradeHeaders(), 400],
    ["compression that nobody asked for", "/ws", upgradeHeaders(), 502],
  ])("%s is refused", async (_what, path, headers, status) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`);
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    await expect.poll(() => front.connections()).toBe(0);
  });

  interface Reply {
    status: number;
    headers: IncomingHttpHeaders;
    body: string;
  }

  async function ask(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
  ): Promise<Reply> {
    const { method = "GET", headers = {}, body } = options;
    const request = httpRequest({ port, path, method, headers, agent: false });
    request.end(body);
    const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
      request.on("response", resolve);
      request.on("error", reject);
    });
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: await text(response),
    };
  }

  /** What comes back for exactly these bytes, until the other side ends it. */
  async function raw(bytes: string): Promise<string> {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.write(bytes);
    const answer = await text(socket);
    socket.destroy();
    return answer;
  }
});

function upgradeHeaders(): string {
  return (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
  );
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
