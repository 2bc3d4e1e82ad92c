import { describe, expect, it } from "vitest";
import { pieces } from "./words.ts";

describe("the pieces of a reply", () => {
  it("are its words, or two characters where none are parted", () => {
    expect(pieces("  one two\nthree")).toEqual(["  ", "one ", "two\n", "three"]);
    expect(pieces("你好世界 ok")).toEqual(["你好", "世界", " ", "ok"]);
    expect(pieces("")).toEqual([]);
  });

  it.each([119, 120, 121, 240, 241, 5_000])("are few, and whole, for %i words", (count) => {
    const text = Array.from({ length: count }, (_, n) => `word${n} `).join("");
    const cut = pieces(text);
    expect(cut.join("")).toBe(text);
    expect(cut.length).toBeGreaterThan(50);
    expect(cut.length).toBeLessThanOrEqual(120);
  });
});
