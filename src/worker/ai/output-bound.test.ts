import { readFile } from "node:fs/promises";
import { expect, it, test } from "vitest";
import { generatedFiles } from "../../build/generated.ts";
import { buildPaths, PROJECT_ROOT } from "../../build/paths.ts";
import { betaOutput, outputBound } from "./output-bound.ts";
import { OUTPUT_MAXIMUMS } from "./output-maximums.ts";
import type { PricedModel } from "./price.ts";
import { WIRE } from "./wire.ts";

const target = (provider: string, model: string): PricedModel => ({
  provider,
  model,
  source: { providerId: provider },
});
const HAIKU = target("anthropic", "claude-haiku-4-5");

test("the file is what the installed package says", async () => {
  const paths = buildPaths(PROJECT_ROOT);
  const generated = await generatedFiles(paths);
  const files = generated.ok ? generated.files : [];
  const wanted = files.find(({ path }) => path === paths.outputMaximums);
  expect(await readFile(paths.outputMaximums, "utf8")).toBe(wanted?.text);
});

it.each<[string, PricedModel, number]>([
  ["a listed model its own", HAIKU, 64_000],
  ["a dated release what its model does", target("anthropic", "claude-haiku-4-5-20251001"), 64_000],
  ["one with another ending any", target("anthropic", "claude-haiku-4-5-long"), 128_000],
  ["an unlisted one any", target("openai", "gpt-4o"), 128_000],
  ["one of an unlisted provider any", target("openrouter", "claude-haiku-4-5"), 128_000],
  [
    "one of another server any",
    { ...HAIKU, source: { providerApiUrl: "http://127.0.0.1:1234/v1" } },
    128_000,
  ],
])("%s maximum may be written", (_what, model, most) => {
  expect(outputBound(model, "chat", undefined)).toBe(most);
});

test("nothing is written by an embedding", () => {
  expect(outputBound(HAIKU, "embeddings", undefined)).toBe(0);
});

it.each([
  ["output-128k-2025-02-19", 131_072],
  ["tools-2026-01-01,output-300k-2026-03-24", 307_200],
  ["output-more-2027-01-01", 128_000],
])("a beta for longer answers is never reserved too low for: %s", (beta, most) => {
  const asked = betaOutput(new Headers({ "anthropic-beta": beta }));
  expect(outputBound(HAIKU, "messages", asked)).toBe(most);
});

test("other betas change nothing", () => {
  expect(betaOutput(new Headers({ "anthropic-beta": "context-1m-2025-08-07" }))).toBeUndefined();
  expect(betaOutput(new Headers())).toBeUndefined();
});

test("what is taken for any model's maximum is no less than any that is listed", () => {
  const listed = (provider: string) => [...(OUTPUT_MAXIMUMS[provider]?.values() ?? [])];
  const most = (provider: string) => Math.max(1, ...listed(provider));
  expect(WIRE.messages.defaultOutput).toBeGreaterThanOrEqual(most("anthropic"));
  expect(WIRE.responses.defaultOutput).toBeGreaterThanOrEqual(most("openai"));
  expect(WIRE.chat.defaultOutput).toBeGreaterThanOrEqual(most("openai"));
  expect(WIRE.gemini.defaultOutput).toBeGreaterThanOrEqual(most("google"));
});
