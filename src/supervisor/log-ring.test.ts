import { describe, expect, it } from "vitest";
import { createLogRing } from "./log-ring.ts";
import { createRedactor } from "./redact.ts";

function ring(limits: { maxLines?: number; maxChars?: number } = {}) {
  return createLogRing({ redactor: createRedactor(), now: () => 5, ...limits });
}

describe("the log ring", () => {
  it("keeps the latest lines and goes on counting", () => {
    const log = ring({ maxLines: 3 });
    for (let n = 1; n <= 10; n += 1) log.add("gateway", "info", `line ${n}`);
    expect(log.read({}).map(({ n, text }) => [n, text])).toEqual([
      [8, "line 8"],
      [9, "line 9"],
      [10, "line 10"],
    ]);
    expect(log.read({ after: 9 }).map(({ n }) => n)).toEqual([10]);
    expect(log.last()).toBe(10);
  });

  it("is bounded by size too, and by the length of a line", () => {
    const log = ring({ maxChars: 100 });
    for (let n = 0; n < 10; n += 1) log.add("gateway", "info", "x".repeat(40));
    expect(log.read({})).toHaveLength(2);
    log.add("gateway", "info", "y".repeat(100_000));
    expect(log.read({})).toHaveLength(1);
    expect(log.read({})[0]?.text).toHaveLength(8_192);
  });

  it("gives one source's last lines since a point", () => {
    const log = ring();
    log.add("gateway", "info", "before");
    const after = log.last();
    log.add("supervisor", "info", "own");
    log.add("gateway", "error", "a");
    log.add("gateway", "error", "b");
    expect(log.tail("gateway", { lines: 5, after })).toBe("a\nb");
    expect(log.read({ source: "supervisor" })).toHaveLength(1);
  });
});
