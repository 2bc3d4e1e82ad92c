import { expect, it } from "vitest";
import { Tending } from "./tending.ts";

const NOW = 1_000_000;

function tending(tend: () => Promise<number | undefined>) {
  let changes = 0;
  const one = new Tending([{ tend }], { now: () => NOW, changed: () => (changes += 1) });
  return { one, changes: () => changes };
}

it("wants to be called at once, and then when a channel says", async () => {
  const { one, changes } = tending(async () => 5_000);
  expect(one.at).toBe(NOW);
  await one.now();
  expect(one.at).toBe(NOW + 5_000);
  expect(changes()).toBe(1);
});

it("asks one at a time, and is looked after while a platform does not answer", async () => {
  let asked = 0;
  const answer = Promise.withResolvers<number>();
  const { one } = tending(() => {
    asked += 1;
    return answer.promise;
  });
  const both = [one.now(), one.now()];
  expect(one.at).toBe(NOW + 60_000);
  expect(asked).toBe(1);
  answer.resolve(7_000);
  await Promise.all(both);
  expect(one.at).toBe(NOW + 7_000);
});

it("is tried again after an error", async () => {
  const { one } = tending(() => Promise.reject(new Error("disk full")));
  await expect(one.now()).rejects.toThrow("disk full");
  expect(one.at).toBe(NOW + 60_000);
});
