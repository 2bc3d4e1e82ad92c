import { describe, expect, it } from "vitest";
import { readUpdate } from "./update.ts";

const from = { id: 77, first_name: "Alice", last_name: "Doe", is_bot: false };
const chat = { id: 77, type: "private", first_name: "Alice" };
const group = { id: -100123, type: "supergroup", title: "Friends" };
const file = { file_id: "f1", file_unique_id: "u1" };
const message = { message_id: 5, date: 1, from, chat };
const alice = { id: "77", name: "Alice Doe" };

describe("an update is taken as it was sent", () => {
  it.each<[string, object, object]>([
    [
      "a text",
      { message: { ...message, text: "hello" } },
      { kind: "direct", sender: alice, chat: "77", preview: "hello" },
    ],
    [
      "a mention in a group",
      { message: { ...message, chat: group, text: "@my_bot hello" } },
      { kind: "group", sender: alice, chat: "-100123", preview: "@my_bot hello" },
    ],
    [
      "a photo",
      { message: { ...message, photo: [{ ...file, width: 1, height: 1 }], caption: "look" } },
      { kind: "direct", preview: "look" },
    ],
    [
      "a voice message",
      { message: { ...message, voice: { ...file, duration: 3 } } },
      { kind: "direct", preview: "" },
    ],
    [
      "a document",
      { message: { ...message, document: { ...file, file_name: "a.pdf" }, caption: "read" } },
      { kind: "direct", preview: "read" },
    ],
    [
      "an edited message",
      { edited_message: { ...message, edit_date: 2, text: "hallo" } },
      { kind: "direct", sender: alice, preview: "hallo" },
    ],
    [
      "a pressed button",
      {
        callback_query: {
          id: "c",
          from,
          chat_instance: "i",
          data: "yes",
          message: { ...message, text: "sure?" },
        },
      },
      { kind: "direct", sender: alice, chat: "77", preview: "[yes]" },
    ],
    [
      "a reaction in a group",
      { message_reaction: { chat: group, message_id: 5, user: from, date: 1 } },
      { kind: "group", sender: alice, chat: "-100123" },
    ],
    [
      "a post of a channel, which nobody in particular wrote",
      { channel_post: { message_id: 5, date: 1, chat: { id: -1009, type: "channel" }, text: "x" } },
      { kind: "group", sender: undefined, chat: "-1009", preview: "x" },
    ],
  ])("%s", (_name, content, expected) => {
    const body = JSON.stringify({ update_id: 9, ...content });
    const read = readUpdate(body, "42");
    if (read.kind !== "arrival") throw new Error(read.kind);
    const { sender = undefined } = read.arrival;
    expect({ ...read.arrival, sender }).toMatchObject({
      channel: "telegram",
      eventId: "42:9",
      body,
      ...expected,
    });
  });
});

it("an update of a kind that was not asked for is nothing for the agent", () => {
  expect(readUpdate(JSON.stringify({ update_id: 1, shipping_query: {} }), "42")).toEqual({
    kind: "unknown",
  });
});

it.each([
  "",
  "{",
  "[]",
  "null",
  '{"update_id":"1"}',
  '{"update_id":-1}',
  '{"update_id":1,"message":{}}',
])("%s is malformed", (text) => {
  expect(readUpdate(text, "42")).toEqual({ kind: "malformed" });
});
