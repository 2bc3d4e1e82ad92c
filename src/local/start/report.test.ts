import { expect, test } from "vitest";
import { logEvent, reportTo } from "./report.ts";

function shown(level: string, text: string): string {
  const lines: string[] = [];
  const sink = { write: (line: string) => lines.push(line) };
  reportTo(sink, sink, false)(logEvent(level, text));
  return lines.join("");
}

test("a person is told of trouble, at the level that a structured line names itself", () => {
  expect(shown("warn", "the disk is full")).toBe("[warn] the disk is full\n");
  expect(shown("info", '{"level":"error","event":"x"}')).toContain("[error]");
  expect(shown("error", '{"level":"info","event":"x"}')).toBe("");
  expect(shown("info", "all is well")).toBe("");
});

test("what workerd notes for itself alone is no trouble, and is there with --json", () => {
  const text = "NOSENTRY SQLite alarm overdue, running despite AlarmManager mismatch";
  expect(shown("warn", text)).toBe("");
  expect(logEvent("warn", text)).toEqual({ event: "log", level: "debug", text });
});
