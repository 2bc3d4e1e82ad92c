/** What the pages of other sites can do to whoever looks at them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  startWorkerServer,
  TOKEN,
  type Answer,
  type WorkerServer,
} from "../support/worker-server.ts";

let worker: WorkerServer;
beforeAll(async () => {
  worker = await startWorkerServer();
});
afterAll(() => worker.close());

const upgrade = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  worker.ask("Deployed", {
    path,
    headers: {
      ...{ Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" },
      "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
      ...headers,
    },
  });

test.each(["https://evil.example", "null"])(
  "sockets opened by %s cost nobody a try of the token",
  async (origin) => {
    for (let tries = 0; tries < 12; tries += 1) {
      expect((await upgrade("/ws?token=x", { Origin: origin })).status).toBe(403);
    }
    expect((await upgrade(`/ws?token=${TOKEN}`, { Origin: origin })).status).toBe(403);
    expect((await upgrade(`/ws?token=${TOKEN}`)).status).toBe(101);
    const { origin: own } = await worker.address("Deployed");
    expect((await upgrade(`/ws?token=${TOKEN}`, { Origin: own })).status).toBe(101);
  },
);
