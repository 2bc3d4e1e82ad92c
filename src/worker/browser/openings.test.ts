import { expect, test } from "vitest";
import { sqlite } from "../../../test/support/sqlite.ts";
import { Openings } from "./openings.ts";
import { BrowserService } from "./service.ts";
import { Sightings } from "./sightings.ts";
import { BrowserStore } from "./store.ts";
import { Upkeep } from "./upkeep.ts";

const ID = "00000000-0000-0000-0000-000000000001";
const limits = { most: 4, longest: 7_200_000, keepAlive: 600_000, wait: 0, watch: 60_000 };
const now = () => 1_000;

/** One session is open; the service answers with this. */
function opened(answer: () => Promise<Response>) {
  const store = new BrowserStore(sqlite(), "main");
  store.begin({ id: ID, holder: "agent", address: "", shared: true, startedAt: 0 });
  const service = new BrowserService({ fetch: answer });
  const sightings = new Sightings();
  const upkeep = new Upkeep({ store, sightings, service, dayCapMs: undefined, limits, now });
  const openings = new Openings({ store, upkeep, limits, now });
  const caller = { holder: "agent", from: "" } as const;
  return { store, open: () => openings.open(service, caller, "shared") };
}

test.each([
  ["an error", async () => Response.json({ error: "busy" }, { status: 500 }), "busy"],
  ["no answer", () => Promise.reject(new Error("the line is down")), "the line is down"],
])(
  "a look-up that ends in %s keeps the session, which may be alive",
  async (_how, answer, said) => {
    const { store, open } = opened(answer);
    expect(await open()).toEqual({ ok: false, reason: "unreachable", message: said });
    expect(store.live()).toMatchObject([{ id: ID }]);
  },
);

test("a session that the service does not know is forgotten", async () => {
  const { store, open } = opened(async () => Response.json({ error: "unknown" }, { status: 404 }));
  expect(await open()).toMatchObject({ ok: false });
  expect(store.live()).toEqual([]);
});
