import * as fc from "fast-check";
import { expect, test } from "vitest";
import { member, membersOf, withMembers } from "./json-members.ts";

const bytes = (text: string) => Uint8Array.from(new TextEncoder().encode(text));
const text = (value: Uint8Array) => new TextDecoder().decode(value);

test("every member of any object is found, however it is spaced", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(0, 1, "\t"),
      (value, space) => {
        const json = JSON.stringify(value, null, space);
        const members = membersOf(bytes(json));
        expect([...(members?.spans.keys() ?? [])]).toEqual(Object.keys(JSON.parse(json)));
        for (const [name, each] of Object.entries(JSON.parse(json))) {
          expect(members && member(members, name)).toEqual(each);
        }
      },
    ),
  );
});

test("a change is what JSON reads, and every other byte stays", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { minKeys: 1 }),
      (value, changes) => {
        const members = membersOf(bytes(JSON.stringify(value)));
        if (members === undefined) throw new Error("an object is read");
        const after: unknown = JSON.parse(text(withMembers(members, changes)));
        expect(after).toEqual(JSON.parse(JSON.stringify({ ...value, ...changes })));
      },
    ),
  );
  const source = ` {"a" : 1.0,\n"m":  "x\\u0041\\"}" , "z":[{"m":2}] }\n`;
  const members = membersOf(bytes(source));
  expect(members && text(withMembers(members, { m: "y" }))).toBe(
    ` {"a" : 1.0,\n"m":  "y" , "z":[{"m":2}] }\n`,
  );
});

test.each([
  "",
  "[]",
  "1",
  "{",
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{"a":1}x',
  '{"a":1}{"a":2}',
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  "{a:1}",
  "\ufeff{}",
])("%j is not read", (source) => {
  expect(membersOf(bytes(source))).toBeUndefined();
});
