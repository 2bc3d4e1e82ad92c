import { expect, test } from "vitest";
import { lineWith, patternsIn } from "./patterns.ts";

test("a setting is shown entry by entry", () => {
  expect(patternsIn("example.org, *.example.net:443\n api.example.com")).toEqual([
    { text: "example.org", wildcard: false },
    { text: "*.example.net:443", wildcard: true, port: "443" },
    { text: "api.example.com", wildcard: false },
  ]);
  expect(patternsIn(undefined)).toEqual([]);
  expect(patternsIn(" , ")).toEqual([]);
});

test("the line for one host more keeps what is there and says nothing twice", () => {
  expect(lineWith(undefined, "a.example")).toBe("EGRESS_ALLOW=a.example");
  expect(lineWith("a.example b.example", "c.example")).toBe(
    "EGRESS_ALLOW=a.example,b.example,c.example",
  );
  expect(lineWith("a.example", "a.example")).toBe("EGRESS_ALLOW=a.example");
});
