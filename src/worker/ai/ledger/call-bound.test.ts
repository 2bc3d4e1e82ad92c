import { expect, it, test } from "vitest";
import type { PricedModel } from "../price.ts";
import { boundOfCall } from "./call-bound.ts";
import type { CallStart } from "./calls.ts";

const OPUS: PricedModel = {
  provider: "anthropic",
  model: "claude-opus-5",
  source: { providerId: "anthropic" },
};
const MINI: PricedModel = {
  provider: "openai",
  model: "gpt-4o-mini",
  source: { providerId: "openai" },
};
const book = { own: [], worstCase: { input: 30, output: 180 } };
const CALL: CallStart = {
  requestId: "request",
  asked: { provider: "anthropic", model: "claude-opus-5" },
  wire: "messages",
  stream: false,
  inputBytes: 1000,
  remote: false,
  outputAsked: 100,
  choices: 1,
  leastOutput: 64,
  cacheKey: "",
};
const boundOf = (target: PricedModel, more: Partial<CallStart>) =>
  boundOfCall({ ...CALL, ...more }, target, book);

it.each<[string, PricedModel, Partial<CallStart>, number]>([
  ["bytes", OPUS, {}, 1000],
  ["a window, for what lies elsewhere", OPUS, { remote: true }, 1_000_000],
  ["more bytes than a window", MINI, { remote: true, inputBytes: 200_000 }, 200_000],
  // One pixel is 8,500 tokens there, and a large picture 48,169.
  ["pictures", MINI, { images: 2 }, 101_000],
  ["pictures in Claude's measure", OPUS, { images: 2 }, 11_000],
  ["pictures beyond a window", MINI, { images: 3, remote: true }, 278_000],
])("reads at most %s", (_what, target, more, tokens) => {
  expect(boundOf(target, more).bound.inputTokens).toBe(tokens);
});

test("a dearer way of service and the provider's tools are part of it", () => {
  const plain = boundOf(OPUS, {}).bound;
  const fast = boundOf(OPUS, { mode: { speed: "fast" } }).bound;
  expect([fast.inputNano, fast.outputNano]).toEqual([plain.inputNano * 2, plain.outputNano * 2]);
  const searching = boundOf(OPUS, { fees: [{ kind: "search", uses: 20, usd: 0.01 }] }).bound;
  expect(searching.inputNano).toBe(plain.inputNano + 200_000_000);
  expect(boundOf(OPUS, { mode: { speed: "faster" } }).known).toBe(false);
});

test("without a limit each place is reserved for with its own model's maximum", () => {
  const { outputAsked: _named, ...unlimited } = CALL;
  const written = (target: PricedModel, more: Partial<CallStart> = {}) =>
    boundOfCall({ ...unlimited, ...more }, target, book).bound.outputTokens;
  const haiku = { ...OPUS, model: "claude-haiku-4-5" };
  expect([written(OPUS), written(haiku), written(MINI)]).toEqual([128_000, 64_000, 128_000]);
  expect(written(haiku, { choices: 2 })).toBe(128_000);
  expect(written(haiku, { betaOutput: 131_072 })).toBe(131_072);
});
