import { expect, test } from "vitest";
import type { ModelsOverview } from "../../protocol/spend.ts";
import { ownProviders } from "./own-providers.ts";

const providers: ModelsOverview["providers"] = [
  {
    id: "anthropic",
    title: "Anthropic",
    ready: false,
    settings: "ANTHROPIC_API_KEY",
    wires: [],
    route: "direct",
  },
  {
    id: "openai",
    title: "OpenAI",
    ready: true,
    settings: "OPENAI_API_KEY",
    wires: [],
    route: "direct",
  },
];

test("what has its key is a provider of one's own", () => {
  expect(ownProviders({ configured: "openai/gpt-5", providers })).toEqual([providers[1]]);
});

test("the demo model, which stands in at OpenAI's place, is none", () => {
  expect(ownProviders({ configured: "openai/moltworker-demo", providers })).toEqual([]);
});
