import { expect, it } from "vitest";
import { handedOver, MAX_HANDED_OVER_BYTES } from "./handed-over.ts";

const newestFirst = (body: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ body, at: count - n }));

it("all of it goes along, oldest first", () => {
  const all = handedOver(newestFirst('{"update_id":1}', 50));
  expect(all.map(({ at }) => at)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
  expect(all[0]).toEqual({ update: '{"update_id":1}', at: 1 });
});

it.each([
  ["characters of three bytes", "字"],
  ["characters that are escaped once more", '\\"'],
  ["characters that are escaped as six", "\u0001"],
])(
  "of many long ones in %s the newest go along that a boot document has room for",
  (_name, text) => {
    const all = handedOver(newestFirst(text.repeat(30_000 / text.length), 50));
    const bytes = new TextEncoder().encode(JSON.stringify(all)).byteLength;
    expect(bytes).toBeLessThanOrEqual(MAX_HANDED_OVER_BYTES);
    expect(bytes).toBeGreaterThan(MAX_HANDED_OVER_BYTES * 0.7);
    expect(all.at(-1)?.at).toBe(50);
    expect(all[0]?.at).toBe(50 - all.length + 1);
  },
);
