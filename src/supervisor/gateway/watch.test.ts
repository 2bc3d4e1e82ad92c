import { once } from "node:events";
import { createServer } from "node:http";
import { expect, it } from "vitest";
import { untilReady } from "./watch.ts";

it("keeps the operator connection after the deadline of the start, until the gateway's end", async () => {
  const server = createServer((_request, response) => response.end('{"ready":true}'));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const over = new AbortController();
  const deadline = new AbortController();
  let kept: AbortSignal | undefined;
  const operator = {
    keep(signal: AbortSignal) {
      kept = signal;
      return Promise.resolve();
    },
    connected: () => Promise.resolve(),
  };
  await untilReady(port, operator, { over: over.signal, deadline: deadline.signal });
  server.close();

  deadline.abort();
  expect(kept?.aborted).toBe(false);
  over.abort();
  expect(kept?.aborted).toBe(true);
});
