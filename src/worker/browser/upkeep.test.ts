import { expect, it } from "vitest";
import { sqlite } from "../../../test/support/sqlite.ts";
import { Sightings } from "./sightings.ts";
import { BrowserStore } from "./store.ts";
import { Upkeep } from "./upkeep.ts";

it("ends the sessions of a browser that is not bound any more, and counts no more time of them", async () => {
  const store = new BrowserStore(sqlite(), "main");
  const startedAt = Date.UTC(2026, 5, 1, 12);
  store.begin({ id: "s", holder: "agent", address: "", shared: false, startedAt });
  store.seen("s", startedAt + 60_000);
  const upkeep = new Upkeep({
    store,
    sightings: new Sightings(),
    service: undefined,
    dayCapMs: undefined,
    limits: { longest: 3_600_000, keepAlive: 600_000, watch: 60_000 },
    now: () => startedAt + 3_600_000,
  });
  expect(await upkeep.lookAfter()).toBeUndefined();
  expect(store.live()).toEqual([]);
  expect(store.usedToday(startedAt + 3_600_000)).toBe(60_000);
});
