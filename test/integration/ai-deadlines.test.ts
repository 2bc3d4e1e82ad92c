/** Nobody waits for ever: for a request's body, for an answer, or for a caller who does not read it. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { callsOf } from "../support/ai-admin.ts";
import { eventually } from "../support/ai-eventually.ts";
import { startAiWorker, type AiWorker, type AiWorkerSettings } from "../support/ai-worker.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A provider that begins every answer in the way given. */
async function answering(
  settings: Partial<AiWorkerSettings>,
  begin: (response: ServerResponse) => void = () => {},
): Promise<{ worker: AiWorker; ended: () => boolean }> {
  let ended = false;
  const server = createServer((request, response) => {
    request.resume();
    response.on("close", () => {
      ended = true;
    });
    begin(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  const baseUrl = `http://127.0.0.1:${address.port}`;
  const worker = await startAiWorker({ anthropic: { apiKey: "k", baseUrl }, ...settings });
  closers.push(
    () => server.close(),
    () => server.closeAllConnections(),
    worker.close,
  );
  return { worker, ended: () => ended };
}

/** A connection on which only what is given is sent. */
function sending(worker: AiWorker, text: string): Socket {
  const { port, hostname } = new URL(worker.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.write(text);
  closers.push(() => socket.destroy());
  return socket;
}

const head = (more: string) =>
  `POST /anthropic/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}\r\n\r\n`;

async function answerOn(socket: Socket): Promise<string> {
  const [chunk]: unknown[] = await once(socket, "data");
  return String(chunk);
}

describe("a request whose body does not come", () => {
  it.each([
    ["of a length that was told", "content-length: 31000000", '{"model":'],
    ["in pieces", "transfer-encoding: chunked", '9\r\n{"model":\r\n'],
  ])("is answered, and its room is free again: %s", async (_name, length, part) => {
    const { worker } = await answering({ bodyMs: 300 });
    // More than would fit into the isolate together.
    for (let round = 0; round < 3; round += 1) {
      const sockets = [1, 2].map(() => sending(worker, `${head(length)}${part}`));
      for (const socket of sockets) {
        const answer = await answerOn(socket);
        expect(answer).toMatch(/^HTTP\/1.1 408 /);
        expect(answer).toMatch(/x-moltworker-route: anthropic; way=none; attempt=0/i);
      }
    }
    expect(await callsOf({ worker })).toEqual([]);
  });
});

it("an answer that costs nothing and stops in the middle is broken off", async () => {
  const { worker, ended } = await answering({ idleMs: 300 }, (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"data":');
  });
  const response = await fetch(`${worker.url}/anthropic/v1/models`);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow(/terminated/);
  await eventually(ended);
});

it("a caller who does not read ends the provider's stream, and the call is counted", async () => {
  const piece = `: ${"x".repeat(65_536)}\n\n`;
  const { worker, ended } = await answering({ idleMs: 500 }, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const more = () => {
      while (!response.destroyed && response.write(piece));
      response.once("drain", more);
    };
    more();
  });
  const body = '{"model":"claude-opus-5","max_tokens":9,"stream":true,"messages":[]}';
  const socket = sending(worker, `${head(`content-length: ${body.length}`)}${body}`);
  await once(socket, "readable");
  await eventually(ended);
  await eventually(async () => (await callsOf({ worker }))[0]?.state !== "open");
  expect(await callsOf({ worker })).toMatchObject([{ status: 200, reason: "cancelled" }]);
});
