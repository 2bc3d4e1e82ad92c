import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { afterEach, expect, it } from "vitest";
import { sendToHost } from "./host-send.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function ask(answer: (response: ServerResponse) => void, into?: Uint8Array) {
  const server = createServer((_request, response) => answer(response));
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return sendToHost({
    ...{ url: `http://127.0.0.1:${port}/`, method: "GET", headers: {} },
    signal: AbortSignal.timeout(10_000),
    ...(into === undefined ? {} : { into }),
  });
}

const content = randomBytes(1_000_000);

it.each([
  ["without a place", undefined, false],
  ["in a place where it fits", 1_000_000, true],
  ["past the end of a place that is too small", 300_000, false],
])("an answer arrives whole %s", async (_, size, placed) => {
  const into = size === undefined ? undefined : Buffer.alloc(size);
  const { status, bytes } = await ask((response) => {
    response.writeHead(201);
    for (let at = 0; at < content.length; at += 77_777) {
      response.write(content.subarray(at, at + 77_777));
    }
    response.end();
  }, into);
  expect(status).toBe(201);
  expect(Buffer.compare(bytes, content)).toBe(0);
  expect(bytes.buffer === into?.buffer).toBe(placed);
});

it("one that breaks off is none", async () => {
  const broken = ask((response) => {
    response.write(content.subarray(0, 1000));
    setTimeout(() => response.destroy(), 20);
  }, Buffer.alloc(10_000));
  await expect(broken).rejects.toThrow(/aborted|ECONNRESET|broke off/);
});
