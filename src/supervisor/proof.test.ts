import { expect, it } from "vitest";
import { createProof } from "./proof.ts";

it("grows from the end of the restore on, and begins anew only with a pass that is through", () => {
  let now = 1000;
  let sealed = 0;
  const proof = createProof(() => now);
  const seal = proof.around(() => () => (sealed += 1));
  expect(proof.ageMs()).toBeUndefined();
  proof.begin();
  now += 500;
  expect(proof.ageMs()).toBe(500);
  // One that hangs, or fails.
  seal();
  now += 500;
  expect(proof.ageMs()).toBe(1000);
  const done = seal();
  now += 100;
  done();
  now += 7;
  expect(proof.ageMs()).toBe(7);
  expect(sealed).toBe(1);
});
