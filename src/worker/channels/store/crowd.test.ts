import { beforeEach, expect, it } from "vitest";
import { sqlite } from "../../../../test/support/sqlite.ts";
import type { Sql } from "../../agent/store/schema.ts";
import type { Arrival } from "../channel.ts";
import { Crowd } from "./crowd.ts";
import { KnownEvents } from "./known-events.ts";
import { Letters } from "./letters.ts";
import { migrateChannels } from "./schema.ts";

let sql: Sql;
let letters: Letters;
let crowd: Crowd;
let count = 0;

beforeEach(() => {
  sql = sqlite();
  migrateChannels(sql);
  letters = new Letters(sql, "main", new KnownEvents(sql, "main"));
  crowd = new Crowd(sql, "main");
});

const post = (chat: string): Arrival => ({
  ...{ channel: "telegram", eventId: String((count += 1)), chat },
  ...{ kind: "group", preview: "", body: "{}" },
});
/** As many of a chat as there is room for. */
function fill(chat: string): number {
  let stored = 0;
  for (; crowd.full(post(chat)) === undefined; stored += 1) letters.put(post(chat), false, 0);
  return stored;
}

it("one chat takes up a hundred, all of them a fifth of the inbox, and what wakes counts for nothing", () => {
  for (let n = 0; n < 200; n += 1) letters.put(post("-1"), true, 0);
  expect(fill("-1")).toBe(100);
  expect(crowd.full(post("-1"))).toBe("chat");
  expect(crowd.full(post("-2"))).toBeUndefined();
  let stored = 100;
  for (let chat = 2; chat < 20; chat += 1) stored += fill(`-${chat}`);
  expect(stored).toBe(1_000);
  expect(letters.put(post("-1"), true, 0)).toBe("stored");
  expect(crowd.full(post("-1"))).toBe("all");
  letters.drop(201);
  expect(crowd.full(post("-99"))).toBeUndefined();
});

it("a database of the release before takes the present version", () => {
  sql.exec("DROP INDEX channel_letters_of_the_crowd");
  sql.exec("UPDATE channels_schema SET version = ?", 1);
  migrateChannels(sql);
  expect(sql.exec("SELECT version FROM channels_schema").toArray()).toEqual([{ version: 2 }]);
});
