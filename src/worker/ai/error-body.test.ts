import { expect, it } from "vitest";
import { readErrorBody } from "./error-body.ts";

const KEY = 'sk-planted-"key"/1';

it.each([
  ["plain", `bad key ${KEY}!`, "bad key [redacted]!"],
  ["in JSON", JSON.stringify({ key: KEY }), '{"key":"[redacted]"}'],
  ["in an address", `?key=${encodeURIComponent(KEY)}`, "?key=[redacted]"],
  ["twice", `${KEY} ${KEY}`, "[redacted] [redacted]"],
])("replaces the key written %s", async (_name, given, passed) => {
  expect(await readErrorBody(new Response(given), [KEY])).toBe(passed);
});

it("passes the very bytes when the key is not in them", async () => {
  const bytes = new Uint8Array([0xff, 0xfe, 0x00, 0x41]);
  expect(await readErrorBody(new Response(bytes), [KEY])).toEqual(bytes);
});

it("gives nothing of a body that is too large to look through", async () => {
  expect(await readErrorBody(new Response("x".repeat(70_000)), [KEY])).toBeUndefined();
});
