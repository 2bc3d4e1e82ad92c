import { describe, expect, it } from "vitest";
import { admit, standingOf, type Admission, type Standing } from "./admission.ts";
import type { Arrival } from "./channel.ts";

const direct: Arrival = {
  channel: "telegram",
  eventId: "1",
  kind: "direct",
  sender: { id: "66" },
  chat: "66",
  preview: "",
  body: "",
};
const group: Arrival = { ...direct, kind: "group", chat: "-100" };
const { sender: _, ...nobody } = group;
const asleep: Standing = {
  policy: "pairing",
  standing: "stranger",
  ...{ awake: false, waking: false, room: true },
  stranger: { messages: 0, replied: false },
  wakes: 0,
  wakesAllowed: 5,
};
const wakes = { act: "take", known: false, wake: true } as const;
const rides = { act: "take", known: false, wake: false } as const;
const welcome = { act: "take", known: true, wake: true } as const;

describe("a message", () => {
  it.each<[string, Arrival, Partial<Standing>, Admission]>([
    ["of somebody approved wakes", direct, { standing: "approved" }, welcome],
    ["of somebody approved wakes in a group", group, { standing: "approved" }, welcome],
    [
      "of somebody barred is ignored",
      direct,
      { standing: "barred", awake: true },
      { act: "ignore" },
    ],
    ["of nobody waits", nobody, {}, rides],
    ["of nobody is not kept without room", nobody, { room: false }, { act: "ignore" }],
    [
      "of somebody approved needs none of that room",
      direct,
      { standing: "approved", room: false },
      welcome,
    ],
    ["of a stranger costs no wake when one is on its way", direct, { waking: true }, rides],
    [
      "of a stranger goes along with a wake when the day's are used up",
      direct,
      { waking: true, wakes: 5 },
      rides,
    ],
    ["of a stranger without room is answered", direct, { room: false }, { act: "reply" }],
    [
      "of a stranger in a group is not kept without room",
      group,
      { awake: true, room: false },
      { act: "ignore" },
    ],
    [
      "of a stranger in a group does not go along with a wake",
      group,
      { waking: true },
      { act: "ignore" },
    ],
    ["of a stranger wakes for pairing", direct, {}, wakes],
    ["of a stranger rides along when awake", direct, { awake: true }, rides],
    ["beyond the day's wakes is answered", direct, { wakes: 5 }, { act: "reply" }],
    [
      "beyond the day's wakes is answered once",
      direct,
      { wakes: 5, stranger: { messages: 3, replied: true } },
      { act: "ignore" },
    ],
    ["with no wakes allowed is answered", direct, { wakesAllowed: 0 }, { act: "reply" }],
    [
      "of a stranger who writes on and on is answered",
      direct,
      { awake: true, stranger: { messages: 20, replied: false } },
      { act: "reply" },
    ],
    [
      "of a stranger under an allowlist is answered",
      direct,
      { policy: "allowlist" },
      { act: "reply" },
    ],
    [
      "of a stranger under an allowlist is not handed on when awake either",
      direct,
      { policy: "allowlist", awake: true },
      { act: "reply" },
    ],
    ["of a stranger in a group never wakes", group, {}, { act: "ignore" }],
    ["of a stranger in a group is the gateway's to judge", group, { awake: true }, rides],
  ])("%s", (_name, arrival, standing, admission) => {
    expect(admit(arrival, { ...asleep, ...standing })).toEqual(admission);
  });
});

describe("somebody", () => {
  it.each<[string, Parameters<typeof standingOf>, Standing["standing"]]>([
    ["nobody knows is a stranger", ["pairing", undefined, false], "stranger"],
    ["an admin let in is approved", ["pairing", "approved", false], "approved"],
    ["the settings name is approved", ["pairing", undefined, true], "approved"],
    ["an admin barred is barred, named or not", ["pairing", "barred", true], "barred"],
    ["is approved where everybody is", ["open", undefined, false], "approved"],
    ["an admin barred is barred there too", ["open", "barred", false], "barred"],
    ["the list does not name is a stranger", ["allowlist", undefined, false], "stranger"],
    ["an admin let in before is one as well", ["allowlist", "approved", false], "stranger"],
    ["the list names is approved", ["allowlist", undefined, true], "approved"],
  ])("%s", (_name, given, standing) => {
    expect(standingOf(...given)).toBe(standing);
  });
});
