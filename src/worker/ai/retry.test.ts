import { describe, expect, it } from "vitest";
import { Circuits } from "./circuit.ts";
import { nextStep, retryAfter } from "./retry.ts";

const now = Date.parse("2026-11-20T10:00:00Z");
const alone = { tries: 1, placesLeft: 0, waited: 0, jitter: 0.5 };
const headers = (values: Record<string, string>) => new Headers(values);

describe("after a failed attempt", () => {
  it.each([400, 401, 403, 404, 409, 413, 422])("a %i is the answer", (status) => {
    expect(nextStep({ status }, { ...alone, placesLeft: 2 }, now)).toEqual({ act: "answer" });
  });

  it.each([408, 429, 500, 502, 503, 504, 529])(
    "a %i goes elsewhere, or is tried again",
    (status) => {
      expect(nextStep({ status }, { ...alone, placesLeft: 1 }, now)).toEqual({ act: "elsewhere" });
      expect(nextStep({ status }, alone, now)).toEqual({ act: "again", waitMs: 375 });
    },
  );

  it.each([
    ["unreachable", "again"],
    ["no-answer-in-time", "answer"],
    ["redirected", "answer"],
    ["cancelled", "answer"],
  ])("%s: %s", (reason, act) => {
    expect(nextStep({ reason }, alone, now).act).toBe(act);
  });

  it("waits as long as it was told to, or tells its caller", () => {
    const busy = (after: string) => ({ status: 429, headers: headers({ "retry-after": after }) });
    expect(nextStep(busy("2"), alone, now)).toEqual({ act: "again", waitMs: 2000 });
    expect(nextStep(busy("2"), { ...alone, waited: 1500 }, now)).toEqual({ act: "answer" });
    expect(nextStep(busy("7"), alone, now)).toEqual({ act: "answer" });
    expect(nextStep({ status: 500 }, { ...alone, tries: 3 }, now)).toEqual({ act: "answer" });
  });

  it.each([
    [{ "retry-after-ms": "40", "retry-after": "9" }, 40],
    [{ "retry-after": "1.5" }, 1500],
    [{ "retry-after": "Fri, 20 Nov 2026 10:00:05 GMT" }, 5000],
    [{ "retry-after": "Fri, 20 Nov 2026 09:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ])("%j is %s ms", (values, ms) => {
    expect(retryAfter(headers(values), now)).toBe(ms);
  });
});

describe("a circuit", () => {
  it("opens at the third failure, longer each time, and closes with an answer", () => {
    const circuits = new Circuits();
    for (let n = 0; n < 2; n += 1) circuits.note("a", true, now);
    expect(circuits.skippedUntil("a", now)).toBeUndefined();
    circuits.note("a", true, now);
    expect(circuits.skippedUntil("a", now)).toBe(now + 30_000);
    expect(circuits.skippedUntil("b", now)).toBeUndefined();
    expect(circuits.skippedUntil("a", now + 30_000)).toBeUndefined();
    circuits.note("a", true, now + 30_000);
    expect(circuits.skippedUntil("a", now + 30_000)).toBe(now + 90_000);
    circuits.note("a", false, now + 90_000);
    expect(circuits.skippedUntil("a", now + 90_000)).toBeUndefined();
  });
});
