import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { boundOf, priceOf, PRICE_SOURCE, type PriceBook, type PricedModel } from "./price.ts";

const book: PriceBook = { own: [], worstCase: { input: 30, output: 180 } };
const opus: PricedModel = {
  provider: "anthropic",
  model: "claude-opus-5",
  source: { providerId: "anthropic" },
};
const usd = (value: { nano: number }) => value.nano / 1e9;

test("the version that is shown is the one in use", () => {
  const manifest: unknown = JSON.parse(readFileSync("package.json", "utf8"));
  const [name = "", version] = PRICE_SOURCE.split(" ");
  expect(manifest).toMatchObject({ dependencies: { [name]: version } });
});

test("no way of using so many tokens is dearer than the bound", () => {
  const bound = boundOf(10_000, 1000, opus, book);
  for (const usage of [
    { input_tokens: 10_000, output_tokens: 1000 },
    { input_tokens: 10_000, cache_read_tokens: 5000, output_tokens: 1000 },
    { input_tokens: 10_000, cache_write_tokens: 10_000, output_tokens: 1000 },
    {
      input_tokens: 10_000,
      cache_write_tokens: 10_000,
      cache_write_1h_tokens: 10_000,
      output_tokens: 1000,
    },
  ]) {
    expect(priceOf(usage, opus, book).nano).toBeLessThanOrEqual(bound.inputNano + bound.outputNano);
  }
  expect(bound).toEqual({ inputNano: 10_000 * 10_000, outputNano: 1000 * 25_000, known: true });
});

test("what nobody knows costs the worst case, never nothing", () => {
  const usage = { input_tokens: 1000, output_tokens: 10 };
  for (const target of [
    { ...opus, model: "claude-unheard-of" },
    {
      ...opus,
      provider: "openai",
      model: "gpt-5.5",
      source: { providerApiUrl: "http://127.0.0.1:1/v1" },
    },
  ]) {
    const priced = priceOf(usage, target, book);
    expect(priced.known).toBe(false);
    expect(usd(priced)).toBeCloseTo(1000 * 30e-6 + 10 * 180e-6, 9);
  }
});

test.each([2, 1.1, 6])("service at %f times the price is reserved and counted so", (factor) => {
  const usage = { input_tokens: 1000, output_tokens: 100 };
  const plain = priceOf(usage, opus, book).nano;
  expect(priceOf(usage, { ...opus, factor }, book)).toEqual({
    nano: Math.ceil(plain * factor - 1e-6),
    known: true,
  });
  const bound = boundOf(1000, 100, { ...opus, factor }, book);
  expect(bound.inputNano).toBeCloseTo(1000 * 10_000 * factor, -1);
  expect(bound.outputNano).toBeCloseTo(100 * 25_000 * factor, -1);
});

test("service that nobody knows costs the worst case, or the dearest that is known", () => {
  const usage = { input_tokens: 1000, output_tokens: 100 };
  const unknown = { ...opus, factor: "unknown" } as const;
  expect(priceOf(usage, unknown, book)).toEqual({ nano: 48_000_000, known: false });
  expect(boundOf(1000, 100, unknown, book)).toEqual({
    inputNano: 60_000_000,
    outputNano: 18_000_000,
    known: false,
  });
  const low = { own: [], worstCase: { input: 0, output: 0 } };
  const plain = priceOf(usage, opus, book).nano;
  expect(priceOf(usage, unknown, low)).toEqual({ nano: plain * 6, known: false });
});

test("own prices go first, the exact before the longest pattern", () => {
  const own = [
    { model: "anthropic/*", input: 1, output: 1 },
    { model: "anthropic/claude*", input: 2, output: 2 },
    { model: "anthropic/claude-opus-5", input: 3, output: 3, cacheRead: 0 },
  ];
  const usage = { input_tokens: 1_000_000, cache_read_tokens: 500_000, output_tokens: 0 };
  expect(usd(priceOf(usage, opus, { ...book, own }))).toBe(1.5);
  expect(usd(priceOf(usage, { ...opus, model: "claude-x" }, { ...book, own }))).toBe(2);
  expect(usd(priceOf(usage, { ...opus, model: "x" }, { ...book, own }))).toBe(1);
});
