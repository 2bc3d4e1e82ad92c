import { expect, it } from "vitest";
import type { Circumstances, Heed } from "../channel.ts";
import { heed, type Allowed } from "./heed.ts";
import { readUpdate } from "./update.ts";

const person = { id: 77, first_name: "Alice" };
const direct = { id: 77, type: "private" };
const group = { id: -100, type: "supergroup" };
const channel = { id: -200, type: "channel" };
const pairing: Allowed = { policy: "pairing", allowFrom: ["55"] };
const paired: Circumstances = { standing: "approved", named: false };
const named: Circumstances = { standing: "approved", named: true };
const stranger: Circumstances = { standing: "stranger", named: false };

it.each<[string, object, Circumstances, Allowed, Heed]>([
  ["a direct message", { message: { from: person, chat: direct } }, paired, pairing, "judge"],
  [
    "a named person in a group",
    { message: { from: person, chat: group } },
    named,
    pairing,
    "judge",
  ],
  [
    "a paired person in a group",
    { message: { from: person, chat: group } },
    paired,
    pairing,
    "drop",
  ],
  [
    "a paired person's command in a group",
    { message: { from: person, chat: group, text: "/status" } },
    paired,
    pairing,
    "judge",
  ],
  ["a stranger in a group", { message: { from: person, chat: group } }, stranger, pairing, "drop"],
  [
    "anybody in a group where everybody may",
    { message: { from: person, chat: group } },
    paired,
    { policy: "open", allowFrom: [] },
    "judge",
  ],
  ["an edit", { edited_message: { from: person, chat: direct } }, named, pairing, "keep"],
  [
    "a stranger's edit",
    { edited_message: { from: person, chat: direct } },
    stranger,
    pairing,
    "drop",
  ],
  ["a reaction", { message_reaction: { user: person, chat: direct } }, named, pairing, "keep"],
  [
    "a button",
    { callback_query: { from: person, message: { chat: group } } },
    paired,
    pairing,
    "judge",
  ],
  ["an invitation", { my_chat_member: { from: person, chat: group } }, stranger, pairing, "judge"],
  ["a channel of somebody else's", { channel_post: { chat: channel } }, stranger, pairing, "drop"],
  [
    "a channel that the settings name",
    { channel_post: { chat: channel } },
    stranger,
    { policy: "pairing", allowFrom: ["-200"] },
    "judge",
  ],
])("%s", (_name, update, circumstances, allowed, expected) => {
  const read = readUpdate(JSON.stringify({ update_id: 1, ...update }), "424242");
  if (read.kind !== "arrival") throw new Error("that is no update");
  expect(heed(read.arrival, circumstances, allowed)).toBe(expected);
});
