import { once } from "node:events";
import http from "node:http";
import type { RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { lookAt } from "./look.ts";
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
  expect(await lookAt(failing, NO_DEADLINE_MS)).toBe("answered");
  const endless = await server((_request, response) => response.writeHead(200).write("and "));
  expect(await lookAt(endless, NO_DEADLINE_MS)).toBe("answered");
});

test("nothing in time and a cut connection are none; where nobody listens it is closed", async () => {
  expect(await lookAt(await server(() => {}), 50)).toBe("unanswered");
  const cut = await server((request) => request.socket.destroy());
  expect(await lookAt(cut, NO_DEADLINE_MS)).toBe("unanswered");
  const nobody = new URL(`http://127.0.0.1:${await freePort()}/`);
  expect(await lookAt(nobody, NO_DEADLINE_MS)).toBe("closed");
});
