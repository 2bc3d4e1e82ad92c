import { expect, test } from "vitest";
import type { LogLine } from "../../../protocol/control.ts";
import { joined, matches } from "./lines.ts";

const line = (n: number, text = `line ${n}`, level: LogLine["level"] = "info"): LogLine => ({
  n,
  at: 1000 + n,
  source: "gateway",
  level,
  text,
});

test("new lines follow the old ones", () => {
  expect(joined([line(1), line(2)], [line(3)]).map(({ n }) => n)).toEqual([1, 2, 3]);
});

test("lines that come again after a lost connection are not shown twice", () => {
  expect(
    joined([line(1), line(2), line(3)], [line(2), line(3), line(4)]).map(({ n }) => n),
  ).toEqual([1, 2, 3, 4]);
});

test("the lines of a new sandbox take the place of the old one's", () => {
  expect(joined([line(1), line(2)], [line(1, "booted again")]).map(({ text }) => text)).toEqual([
    "booted again",
  ]);
});

test("a line is found by its words whatever their case, from its level up", () => {
  expect(matches(line(1, "Telegram is READY", "warn"), "warn", " ready ")).toBe(true);
  expect(matches(line(1, "Telegram is READY", "info"), "warn", "ready")).toBe(false);
  expect(matches(line(1, "Telegram", "error"), "debug", "slack")).toBe(false);
});
