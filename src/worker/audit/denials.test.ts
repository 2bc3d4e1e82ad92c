import { expect, test } from "vitest";
import { createDenials } from "./denials.ts";

const NOW = 1_800_000_000_000;
const denial = (from: string) => ({ kind: "sign-in-refused" as const, from, detail: "" });

test("the first of a quiet time is due at once, the rest together a minute later", () => {
  const denials = createDenials();
  denials.count(denial("1.1.1.1"), NOW);
  expect(denials.take(NOW)).toMatchObject([{ from: "1.1.1.1", times: 1 }]);
  for (let n = 0; n < 500; n += 1) denials.count(denial("1.1.1.1"), NOW + 1);
  expect(denials.take(NOW + 59_999)).toEqual([]);
  expect(denials.take(NOW + 60_000)).toMatchObject([{ from: "1.1.1.1", times: 500 }]);
  expect(denials.take(NOW + 200_000)).toEqual([]);
});

test("a flood from many addresses is a bounded number of rows, and none of it is lost", () => {
  const denials = createDenials();
  for (let n = 0; n < 100_000; n += 1) {
    denials.count(denial(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`), NOW);
  }
  const rows = denials.take(NOW);
  expect(rows.length).toBeLessThanOrEqual(21);
  expect(rows.reduce((sum, { times }) => sum + times, 0)).toBe(100_000);
  expect(rows.map(({ from }) => from)).toContain("(others)");
});
