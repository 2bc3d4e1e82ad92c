import { describe, expect, test } from "vitest";
import { patienceOf } from "./place.ts";
import { providerOf, type AiConfig, type ProviderId } from "./providers.ts";

const config: AiConfig = {
  anthropic: { apiKey: "k", baseUrl: "https://a.example" },
  openai: { baseUrl: "http://127.0.0.1:1/v1", compatible: true },
};

function upstreamOf(id: ProviderId) {
  const upstream = providerOf(id)?.upstream(config);
  if (upstream === undefined) throw new Error("not set up");
  return upstream;
}

describe("while another place is left", () => {
  test.each<[string, ProviderId, { setMs: number | undefined; stream: boolean }, number]>([
    ["a hosted model's stream", "anthropic", { setMs: undefined, stream: true }, 20_000],
    ["a hosted model's whole answer", "anthropic", { setMs: undefined, stream: false }, 300_000],
    ["a server of one's own", "openai", { setMs: undefined, stream: true }, 600_000],
    ["what an admin set for a stream", "anthropic", { setMs: 3000, stream: true }, 3000],
    ["what an admin set for an answer", "openai", { setMs: 3000, stream: false }, 3000],
    ["no more than the provider's own", "anthropic", { setMs: 600_000, stream: true }, 300_000],
  ])("%s has its time to begin", (_name, id, about, ms) => {
    expect(patienceOf(upstreamOf(id), about)).toBe(ms);
  });
});
