import { expect, it } from "vitest";
import { createNameBook, matchesPattern } from "./names.ts";

it.for([
  ["*", "anything.example", true],
  ["a.example", "a.example", true],
  ["A.Example", "a.example", true],
  ["a.example", "xa.example", false],
  ["*.example", "b.a.example", true],
  ["*.example", "example", false],
  ["a*b", "ab", true],
  ["a*b*c", "a1b2c", true],
  ["ab*ba", "aba", false],
] as const)("matches %s against %s: %s", ([pattern, name, matches]) => {
  expect(matchesPattern(pattern, name)).toBe(matches);
});

it("gives each name an address of its own, and knows it again", () => {
  const book = createNameBook();
  expect(book.addressOf("a")).toBe("11.0.0.1");
  expect(book.addressOf("b")).toBe("11.0.0.2");
  expect(book.addressOf("a")).toBe("11.0.0.1");
  expect(book.nameOf("11.0.0.2")).toBe("b");
  expect(book.nameOf("11.0.0.3")).toBeUndefined();
});

it("stays bounded under a flood of names", () => {
  const book = createNameBook();
  for (let index = 0; index < 10_005; index += 1) book.addressOf(`n${index}`);
  expect(book.nameOf("11.0.0.1")).toBeUndefined();
  expect(book.nameOf("11.0.39.20")).toBe("n10003");
});
