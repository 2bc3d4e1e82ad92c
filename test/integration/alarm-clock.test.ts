/** The alarm of a Durable Object under real workerd. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BY_ITSELF, workerModule } from "../support/worker-module.ts";

let miniflare: Miniflare;
let url: URL;

beforeAll(async () => {
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...{ host: "127.0.0.1", port: 0, ...BY_ITSELF },
      ...(await workerModule("alarm.worker.ts")),
      durableObjects: { ROOM: { className: "Room", useSQLite: true } },
    }),
  );
  url = await miniflare.ready;
});
afterAll(() => miniflare?.dispose());

const ask = async (what: string): Promise<unknown> => (await fetch(new URL(what, url))).json();

it("comes again when it is set, as it comes, to the moment it came at", async () => {
  await ask("/ring?times=200");
  await expect.poll(() => ask("/")).toEqual({ rung: 400 });
});

it("does not come when it was taken back", async () => {
  expect(await ask("/stop")).toEqual({ alarm: null });
});
