import { beforeEach, describe, expect, it } from "vitest";
import { advance } from "../lifecycle.ts";
import { LifeStore } from "./life.ts";
import { RecordStore } from "./records.ts";
import { sqlite } from "../../../../test/support/sqlite.ts";
import { migrate, type Sql } from "./schema.ts";

let sql: Sql;
beforeEach(() => {
  sql = sqlite();
  migrate(sql);
});

describe("the schema", () => {
  it("is brought up once and left alone after that", () => {
    migrate(sql);
    expect(sql.exec("SELECT version FROM agent_schema").toArray()).toEqual([{ version: 2 }]);
  });
  it("of a newer release is refused", () => {
    sql.exec("UPDATE agent_schema SET version = ?", 99);
    expect(() => migrate(sql)).toThrow(/version 99/);
  });
});

describe("the life", () => {
  it("keeps the gateway's token and the generation over a restart", () => {
    const store = new LifeStore(sql, "main");
    const first = store.read(5, () => "token-one");
    expect(first).toEqual({
      life: { phase: "stopped", since: 5, startGeneration: 0, failures: 0 },
      gatewayToken: "token-one",
      lastActivity: 5,
    });
    const starting = advance(first.life, "wanted", 10);
    if (starting === undefined) throw new Error("a stopped agent starts");
    store.move(first.life, starting);
    store.setControlToken("control");
    store.setLastActivity(11);
    expect(new LifeStore(sql, "main").read(12, () => "token-two")).toEqual({
      life: starting,
      gatewayToken: "token-one",
      controlToken: "control",
      lastActivity: 11,
    });
  });

  it("measures each phase of a start and forgets old starts", () => {
    const store = new LifeStore(sql, "main");
    let life = store.read(0, () => "t").life;
    let now = 0;
    const move = (event: Parameters<typeof advance>[1]) => {
      now += 100;
      const after = advance(life, event, now);
      if (after === undefined) throw new Error(event);
      store.move(life, after);
      life = after;
    };
    for (let start = 0; start < 30; start += 1) {
      for (const event of ["wanted", "answered", "restored", "gateway-ready"] as const) move(event);
      for (const event of ["drain", "gone"] as const) move(event);
    }
    expect(store.timings(30)).toEqual([
      { phase: "starting", ms: 100 },
      { phase: "restoring", ms: 100 },
      { phase: "booting", ms: 100 },
    ]);
    expect(store.timings(10)).toEqual([]);
    expect(store.timings(11)).toHaveLength(3);
  });
});

describe("the records", () => {
  it("of one agent are not another's", () => {
    new RecordStore(sql, "a").putDevice({ deviceId: "d", approvedAt: 1, approvedBy: "me" });
    expect(new RecordStore(sql, "b").devices()).toEqual([]);
    expect(new RecordStore(sql, "a").devices()).toHaveLength(1);
  });

  it("count refused hosts and drop the oldest when the agent invents names", () => {
    const records = new RecordStore(sql, "main");
    records.countRefused("a.example", 2, 1);
    records.countRefused("a.example", 3, 2);
    expect(records.refusedHosts()).toEqual([{ host: "a.example", times: 5, lastAt: 2 }]);
    for (let n = 0; n < 510; n += 1) records.countRefused(`h${n}.example`, 1, 10 + n);
    expect(records.refusedHosts()).toHaveLength(500);
    expect(records.refusedHosts()[0]?.host).toBe("h509.example");
  });

  it("take no more devices than the boot document may carry", () => {
    const records = new RecordStore(sql, "main");
    sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO agent_devices SELECT 'main', 'd' || i, NULL, 1, 'me' FROM n`,
      1000,
    );
    expect(records.putDevice({ deviceId: "x", approvedAt: 1, approvedBy: "me" })).toBe(false);
    expect(records.putDevice({ deviceId: "d5", approvedAt: 2, approvedBy: "me" })).toBe(true);
  });

  it("hold a bounded number of events, newest first", () => {
    const records = new RecordStore(sql, "main");
    for (let n = 1; n <= 520; n += 1) records.note("phase", `event ${n}`, n);
    expect(records.events(2).map(({ text }) => text)).toEqual(["event 520", "event 519"]);
    expect(records.events(1000)).toHaveLength(500);
  });

  it("let a setting be set and taken away", () => {
    const records = new RecordStore(sql, "main");
    records.setSetting("sleepAfter", "never");
    expect(records.setting("sleepAfter")).toBe("never");
    records.setSetting("sleepAfter", undefined);
    expect(records.setting("sleepAfter")).toBeUndefined();
  });
});
