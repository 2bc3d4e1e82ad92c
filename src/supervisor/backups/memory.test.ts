import { describe, expect, it } from "vitest";
import { giveBack, Places } from "./memory.ts";

describe("memory that is given back", () => {
  it("is gone at once, with every view of it", () => {
    const whole = Buffer.alloc(1_000_000, 7);
    const view = whole.subarray(10, 20);
    giveBack(whole.subarray(0, 500_000));
    expect([whole.length, view.length]).toEqual([0, 0]);
    expect(() => giveBack(whole)).not.toThrow();
  });

  it("is so however small, where it is all of its buffer", () => {
    const small = Buffer.from(new ArrayBuffer(100));
    const view = small.subarray(10, 20);
    giveBack(view);
    expect(small.length).toBe(100);
    giveBack(small);
    expect([small.length, view.length]).toEqual([0, 0]);
  });

  it("is never what the runtime shares with others", () => {
    const small = Buffer.from("a few bytes of a shared pool");
    giveBack(small);
    expect(small.toString()).toBe("a few bytes of a shared pool");
    const whole = Buffer.alloc(1_000_000, 7);
    giveBack(whole.subarray(1));
    expect(whole.length).toBe(1_000_000);
  });
});

describe("places", () => {
  it("are used again, and one by one at the same time", () => {
    const places = new Places(100_000);
    const [one, two] = [places.take(), places.take()];
    expect(one.buffer).not.toBe(two.buffer);
    places.free(one);
    expect(places.take().buffer).toBe(one.buffer);
    places.free(two);
    places.close();
    expect(two.length).toBe(0);
    expect(places.take().length).toBe(100_000);
  });
});
