import { once } from "node:events";
import http from "node:http";
import type { RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { answers } from "./look.ts";
import { freePort } from "../../free-port.ts";

const NO_DEADLINE_MS = 60_000;

async function server(listener: RequestListener): Promise<URL> {
  const listening = http.createServer(listener).listen(await freePort(), "127.0.0.1");
  await once(listening, "listening");
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return new URL(`http://127.0.0.1:${address.port}/healthz`);
}

test("whatever is answered is an answer, also one that has no end", async () => {
  const failing = await server((_request, response) => response.writeHead(500).end());
  expect(await answers(failing, NO_DEADLINE_MS)).toBe(true);
  const endless = await server((_request, response) => response.writeHead(200).write("and "));
  expect(await answers(endless, NO_DEADLINE_MS)).toBe(true);
});

test("nothing in time, a cut connection, and nobody there, are none", async () => {
  expect(await answers(await server(() => {}), 50)).toBe(false);
  const cut = await server((request) => request.socket.destroy());
  expect(await answers(cut, NO_DEADLINE_MS)).toBe(false);
  const nobody = new URL(`http://127.0.0.1:${await freePort()}/`);
  expect(await answers(nobody, NO_DEADLINE_MS)).toBe(false);
});
