import { expect, it } from "vitest";
import type { DeliverRequest } from "../protocol/control.ts";
import { HandedOver } from "./handed-over.ts";

const update = (id: number, message: object): DeliverRequest => ({
  listener: "telegram",
  path: "/telegram-webhook",
  headers: {},
  body: JSON.stringify({
    update_id: id,
    message: { message_id: id + 100, chat: { id: 77 }, ...message },
  }),
});
const from = { id: 77 };

it("remembers messages of people in their order, and what they were handed over as", () => {
  const kept = new HandedOver();
  const requests = [1, 2, 3].map((id) => update(id, { from, text: `text ${id}` }));
  for (const [n, request] of requests.entries()) kept.took(request, 1000 + n);
  expect(kept.messages(2000)[1]).toEqual({
    channel: "telegram",
    eventId: "2",
    messageId: "102",
    chatId: "77",
    senderId: "77",
    text: "text 2",
    takenAt: 1001,
  });
  expect(kept.requests(["3", "1"])).toEqual([requests[0], requests[2]]);
});

it.each<[string, DeliverRequest]>([
  ["a command", update(1, { from, text: " /new" })],
  ["a pressed button", { ...update(1, {}), body: '{"update_id":1,"callback_query":{"id":"4"}}' }],
  ["a picture", update(1, { from, photo: [], caption: "look" })],
  ["what is no update", { ...update(1, {}), body: "{" }],
  ["what is for another listener", { ...update(1, { from, text: "x" }), listener: "gateway" }],
])("does not remember %s", (_, request) => {
  const kept = new HandedOver();
  kept.took(request, 0);
  expect(kept.messages(0)).toEqual([]);
});

it("has what a gateway of an earlier sandbox took, and nothing to hand over of it", () => {
  const { body } = update(1, { from, text: "before" });
  const kept = new HandedOver([
    { update: body, at: 5 },
    { update: "{", at: 6 },
  ]);
  kept.took(update(2, { from, text: "now" }), 9);
  expect(kept.messages(10).map(({ text, takenAt }) => [text, takenAt])).toEqual([
    ["before", 5],
    ["now", 9],
  ]);
  expect(kept.requests(["1"])).toEqual([]);
});

it("has one of each event, as of when it was taken first", () => {
  const kept = new HandedOver();
  kept.took(update(1, { from, text: "x" }), 0);
  kept.took(update(2, { from, text: "y" }), 1);
  kept.took(update(1, { from, text: "x" }), 2);
  expect(kept.messages(3).map(({ eventId, takenAt }) => [eventId, takenAt])).toEqual([
    ["2", 1],
    ["1", 0],
  ]);
  expect(kept.messages(15 * 60_000 + 1).map(({ eventId }) => eventId)).toEqual(["1"]);
});

it("has one of an event that an earlier sandbox's gateway took, too, and then it can hand it over", () => {
  const request = update(1, { from, text: "x" });
  const kept = new HandedOver([{ update: request.body, at: 5 }]);
  kept.took(request, 9);
  expect(kept.messages(10).map(({ eventId, takenAt }) => [eventId, takenAt])).toEqual([["1", 5]]);
  expect(kept.requests(["1"])).toEqual([request]);
});

it("forgets what is old, and has a bound: what came last stays", () => {
  const kept = new HandedOver();
  for (let id = 1; id <= 300; id += 1) kept.took(update(id, { from, text: "x" }), id);
  expect(kept.messages(300).map(({ eventId }) => eventId)[0]).toBe("101");
  expect(kept.messages(20 * 60_000)).toEqual([]);
  for (let id = 1; id <= 5; id += 1) kept.took(update(id, { from, text: "x".repeat(600_000) }), 0);
  expect(kept.messages(0).map(({ eventId }) => eventId)).toEqual(["3", "4", "5"]);
});
