import { expect, test } from "vitest";
import { newPageAddress, wantedSession } from "./query.ts";

const ID = "0123abcd-0123-0123-0123-0123456789ab";
const of = (query: string): URL => new URL(`http://127.0.0.1:9222/json/new${query}`);

test.each([
  ["", undefined, "shared"],
  ["?https://example.org/a", "https://example.org/a", "shared"],
  ["?https://example.org/?a=1&b=2", "https://example.org/?a=1&b=2", "shared"],
  ["?https://example.org/?a=1&session=b", "https://example.org/?a=1&session=b", "shared"],
  ["?https://example.org/&session=new", "https://example.org/", "fresh"],
  [`?https://example.org/?a=1&session=${ID}`, "https://example.org/?a=1", { id: ID }],
  [`?session=${ID}&https://example.org/`, "https://example.org/", { id: ID }],
  ["?https://example.org/?a=1&secret=s", "https://example.org/?a=1", "shared"],
  ["?url=https%3A%2F%2Fexample.org%2F%3Fsession%3Db", "https://example.org/?session=b", "shared"],
  ["?url=x&session=b", "x", undefined],
  ["?session=b", "session=b", undefined],
])("/json/new%s opens %s in session %j", (query, address, session) => {
  expect(newPageAddress(of(query))).toBe(address);
  expect(wantedSession(of(query), "/json/new")).toEqual(session);
});

test("elsewhere a session that is none is malformed", () => {
  expect(wantedSession(of("?a=1&session=b"), "/json/version")).toBeUndefined();
});
