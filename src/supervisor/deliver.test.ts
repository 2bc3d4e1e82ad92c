import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { DeliverRequest } from "../protocol/control.ts";
import { createDeliverer, type Deliverer } from "./deliver.ts";

const request = (body: string): DeliverRequest => ({
  ...{ listener: "telegram", path: "/telegram-webhook", headers: {} },
  body,
});

let gateway: Server;
let deliverer: Deliverer;
let taken: string[];
let refused: Set<string>;
beforeEach(async () => {
  taken = [];
  refused = new Set();
  gateway = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      if (!refused.has(body)) taken.push(body);
      response.writeHead(refused.has(body) ? 400 : 200).end();
    });
  }).listen(0, "127.0.0.1");
  await once(gateway, "listening");
  const address = gateway.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  deliverer = createDeliverer({ gateway: port, telegram: port }, [], log);
});
afterEach(() => {
  deliverer.close();
  gateway.close();
});

it("what is lost later does not wait for a message that is refused, but is not all there is to hand over", async () => {
  refused.add("first");
  let through = 0;
  const count = () => (through += 1);
  const first = deliverer.again([request("first")]).then(count);
  const second = deliverer.again([request("second"), request("third")]).then(count);
  await expect.poll(() => taken).toEqual(["second", "third"]);
  expect(through).toBe(0);
  refused.clear();
  await Promise.all([first, second]);
  expect(taken).toEqual(["second", "third", "first"]);
});
