import { beforeEach, expect, it } from "vitest";
import { sqlite } from "../../../test/support/sqlite.ts";
import type { Sql } from "../agent/store/schema.ts";
import type { Arrival, Channel } from "./channel.ts";
import { Intake } from "./intake.ts";
import { Crowd } from "./store/crowd.ts";
import { KnownEvents } from "./store/known-events.ts";
import { LastSeen } from "./store/last-seen.ts";
import { Letters } from "./store/letters.ts";
import { Notes } from "./store/notes.ts";
import { migrateChannels } from "./store/schema.ts";
import { Senders } from "./store/senders.ts";

const TELEGRAM: Channel = {
  ...{ id: "telegram", policy: "pairing", allowFrom: ["1"] },
  deliver: async () => ({ kind: "later", reason: "" }),
  signOfLife: async () => {},
  say: async () => ({ ok: true }),
  tend: async () => undefined,
  state: () => ({ connection: "connected", way: "poll" }),
};

let sql: Sql;
let intake: Intake;
let senders: Senders;
let alerts: string[];
let now: number;
let count = 0;

beforeEach(() => {
  sql = sqlite();
  migrateChannels(sql);
  const known = new KnownEvents(sql, "main");
  senders = new Senders(sql, "main");
  alerts = [];
  now = 0;
  intake = new Intake({
    ...{ known, senders, letters: new Letters(sql, "main", known), crowd: new Crowd(sql, "main") },
    last: new LastSeen(new Notes(sql, "main")),
    channels: new Map([["telegram", TELEGRAM]]),
    parts: {
      ...{ strangerWakes: 5, owners: [], now: () => now, readyStart: () => undefined },
      ...{ waitUntil: () => {}, touch: () => {}, alert: (text) => alerts.push(text) },
    },
  });
});

/** Of nobody in particular, unless somebody wrote it. */
function post(chat: string, sender?: string): Arrival {
  return {
    ...{ channel: "telegram", eventId: String((count += 1)), chat, preview: "", body: "{}" },
    kind: sender === undefined ? "group" : "direct",
    ...(sender === undefined ? {} : { sender: { id: sender } }),
  };
}

/** As many of that chat as it may have. */
function fill(chat: string): void {
  sql.exec(
    `INSERT INTO channel_letters (agent_id, n, channel, event_id, kind, chat, preview, headers, body, at,
       wakes, state, tries, next_at)
     WITH RECURSIVE each(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM each WHERE i < 100)
     SELECT 'main', (SELECT COUNT(*) FROM channel_letters) + i, 'telegram', ? || i, 'group', ?, '', '{}', '{}', 0,
       0, 'waiting', 0, 0 FROM each`,
    chat,
    chat,
  );
}

it("tells which room is full, each once a day", () => {
  fill("-1");
  expect(intake.take(post("-2"))).toBe("stored");
  expect(alerts).toEqual([]);
  for (let n = 0; n < 3; n += 1) expect(intake.take(post("-1"))).toBe("turnedAway");
  expect(alerts).toEqual([expect.stringContaining("A chat on telegram has filled its part")]);
  for (let chat = 3; chat <= 11; chat += 1) fill(`-${chat}`);
  for (let n = 0; n < 3; n += 1) expect(intake.take(post("-12"))).toBe("turnedAway");
  expect(alerts).toHaveLength(2);
  expect(alerts[1]).toContain("for people who were not let in is full");
  now += 86_400_000;
  expect(intake.take(post("-12"))).toBe("turnedAway");
  expect(alerts).toHaveLength(3);
});

it("does not lay it to a full room when somebody would not have been heard in an empty one", () => {
  for (let chat = 1; chat <= 10; chat += 1) fill(`-${chat}`);
  senders.approve({ channel: "telegram", id: "66", approvedAt: 0, approvedBy: "olga" });
  senders.bar("telegram", "66", true);
  expect(intake.take(post("66", "66"))).toBe("turnedAway");
  expect(alerts).toEqual([]);
  expect(intake.take(post("1", "1"))).toBe("stored");
  expect(intake.take(post("77", "77"))).toBe("turnedAway");
  expect(alerts).toHaveLength(1);
});
