import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { parseDevVars } from "./dev-vars.ts";

const values = (text: string) => {
  const parsed = parseDevVars(text);
  return parsed.ok ? Object.fromEntries(parsed.values) : parsed.problems;
};

test("names, quotes, comments and line endings are read as people write them", () => {
  expect(
    values(
      [
        "# a comment",
        "BARE=one two # the rest is a comment",
        "  SPACED  =  value  ",
        "HASH=a#b",
        'DOUBLE="a # b\\n\\"c\\" \\\\"',
        "SINGLE='a\\n # b' # c",
        "export EXPORTED=yes",
        "EMPTY=",
        "EQUALS=a=b=c",
        "",
      ].join("\r\n"),
    ),
  ).toEqual({
    BARE: "one two",
    SPACED: "value",
    HASH: "a#b",
    DOUBLE: 'a # b\n"c" \\',
    SINGLE: "a\\n # b",
    EXPORTED: "yes",
    EMPTY: "",
    EQUALS: "a=b=c",
  });
});

test("every malformed line is listed by number, and its text, which may be a secret, is not", () => {
  const parsed = parseDevVars('A=1\nsk-secret-value\nB=\'open\n2C=3\nD="x" y\n');
  expect(parsed).toEqual({
    ok: false,
    problems: [
      { line: 2, problem: "is not NAME=value" },
      { line: 3, problem: "B has no closing quote, or text after it" },
      { line: 4, problem: "is not NAME=value" },
      { line: 5, problem: "D has no closing quote, or text after it" },
    ],
  });
  expect(JSON.stringify(parsed)).not.toContain("secret");
});

test("any value survives double quotes", () => {
  assert(
    property(string(), (value) => {
      const text = value.replaceAll("\r", "");
      const quoted = text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
      expect(values(`NAME="${quoted}"\n`)).toEqual({ NAME: text });
    }),
  );
});

test("no text makes the parser throw", () => {
  assert(property(string(), (text) => typeof parseDevVars(text).ok === "boolean"));
});
