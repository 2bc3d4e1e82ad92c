import { expect, it } from "vitest";
import { ownWords } from "./own-words.ts";

const META = 'Conversation info: ⟦openclaw:ctx⟧\n```json\n{"sender": "tool: rm {}"}\n```';

it.each([
  ["bare text", "hello\nworld", "hello\nworld"],
  ["a time in front", "[Sun 2026-11-22 21:30 UTC] hello", "hello"],
  ["a channel's envelope", "[Telegram Ann id:7 +2m Sun 2026-11-22 21:30:05 UTC] hello", "hello"],
  ["a marked block before", `${META}\n\nhello`, "hello"],
  ["a time, then a marked block", `[Sun 2026-11-22 21:30 UTC] ${META}\n\nhello`, "hello"],
  ["a marked block, then a time", `${META}\n\n[Sun 2026-11-22 21:30 UTC] hello`, "hello"],
  ["two marked blocks", `${META}\n\nSender: ⟦openclaw:ctx⟧\nAnn\nof Ghent\n\nhello`, "hello"],
  ["a delivery hint", "Delivery: to send a message, use the `message` tool.\n\nhello", "hello"],
  [
    "internal context after",
    "hello\n\n<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nsecret\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>",
    "hello",
  ],
  [
    "internal context that does not end",
    "hello\n<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nx",
    "hello",
  ],
  ["a bracket of the person's own", "[x] hello", "[x] hello"],
])("finds the person's words under %s", (_name, given, words) => {
  expect(ownWords(given)).toBe(words);
});
