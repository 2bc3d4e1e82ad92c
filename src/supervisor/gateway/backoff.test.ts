import { describe, expect, it } from "vitest";
import { HEALTHY_MS, backoffMs, failuresAfter } from "./backoff.ts";

describe("the restart delay", () => {
  it.each([
    [1, 500],
    [2, 2_000],
    [3, 10_000],
    [4, 30_000],
    [5, 60_000],
    [500, 60_000],
  ])("after %i failures in a row is %i ms", (failures, delay) => {
    expect(backoffMs(failures)).toBe(delay);
  });

  it("begins anew after a healthy while", () => {
    expect(failuresAfter(4, HEALTHY_MS)).toBe(1);
    expect(failuresAfter(4, HEALTHY_MS - 1)).toBe(5);
  });
});
