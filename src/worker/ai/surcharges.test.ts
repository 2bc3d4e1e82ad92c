import { describe, expect, it } from "vitest";
import { membersOf } from "./json-members.ts";
import { factorOf, feesAsked, modeAsked, type Factor, type Fee } from "./surcharges.ts";
import type { WireName } from "./wire.ts";

function membersIn(body: object | string) {
  const json = typeof body === "string" ? body : JSON.stringify(body);
  const members = membersOf(Uint8Array.from(new TextEncoder().encode(json)));
  if (members === undefined) throw new Error("an object is read");
  return members;
}

describe("times the list price", () => {
  it.each<[WireName, string, object | string, Factor]>([
    ["chat", "gpt-5.5", {}, 1],
    ["chat", "gpt-5.5", { service_tier: null }, 1],
    ["chat", "gpt-5.5", { service_tier: "flex" }, 1],
    ["chat", "gpt-5.5", { service_tier: "priority" }, 2.5],
    ["responses", "gpt-5.5", { service_tier: "fast" }, 2.5],
    ["responses", "gpt-6-astra", { service_tier: "ultrafast" }, 6],
    ["responses", "gpt-6-astra", { service_tier: "of tomorrow" }, "unknown"],
    ["gemini", "gemini-3.5-flash", { serviceTier: "priority" }, 2],
    ["gemini", "gemini-3.5-flash", { service_tier: "SERVICE_TIER_PRIORITY" }, 2],
    ["gemini", "gemini-3.5-flash", { service_tier: 3 }, "unknown"],
    ["gemini", "gemini-3.5-flash", { service_tier: "flex", serviceTier: "priority" }, "unknown"],
    ["messages", "claude-opus-4-6", { speed: "fast" }, 6],
    ["messages", "claude-opus-5", { speed: "fast" }, 2],
    ["messages", "claude-opus-5", { speed: "faster" }, "unknown"],
    ["messages", "claude-opus-5", { inference_geo: "us" }, 1.1],
    ["messages", "claude-opus-5", { inference_geo: "global", speed: "standard" }, 1],
    ["messages", "claude-opus-5", { inference_geo: "moon" }, "unknown"],
    ["messages", "claude-opus-5", { inference_geo: "us", speed: "fast" }, 2.2],
  ])("%s %s %j: %s", (wire, model, body, factor) => {
    const found = factorOf(modeAsked(membersIn(body)), wire, model);
    expect(typeof found === "number" ? Number(found.toFixed(9)) : found).toBe(factor);
  });
});

describe("tools that cost for each use", () => {
  it.each<[WireName, object, Fee[]]>([
    ["messages", { tools: [{ name: "web_search" }, { type: "custom", name: "x" }] }, []],
    [
      "messages",
      { tools: [{ type: "web_search_20250305", max_uses: 3 }] },
      [{ kind: "search", uses: 3, usd: 0.01 }],
    ],
    [
      "responses",
      { tools: [{ type: "web_search_preview" }, { type: "file_search" }], max_tool_calls: 2 },
      [
        { kind: "search", uses: 2, usd: 0.025 },
        { kind: "files", uses: 2, usd: 0.0025 },
      ],
    ],
    [
      "responses",
      { tools: [{ type: "code_interpreter", container: { type: "auto", memory_limit: "64g" } }] },
      [{ kind: "code", uses: 1, usd: 1.92 }],
    ],
    ["gemini", { tools: [{ google_search: {} }] }, [{ kind: "search", uses: 20, usd: 0.035 }]],
    ["gemini", { tools: { googleMaps: {} } }, [{ kind: "maps", uses: 1, usd: 0.025 }]],
    ["gemini", { tools: [{ codeExecution: {} }] }, []],
    [
      "chat",
      { plugins: [{ id: "web", max_results: 25 }] },
      [{ kind: "search", uses: 1, usd: 0.1 }],
    ],
    ["chat", { plugins: [] }, [{ kind: "search", uses: 1, usd: 0.05 }]],
    [
      "chat",
      { tools: [{ type: "openrouter:web_search", parameters: { max_results: 50 } }] },
      [{ kind: "search", uses: 20, usd: 0.2 }],
    ],
    ["chat", { web_search_options: {} }, [{ kind: "search", uses: 1, usd: 0.05 }]],
    ["chat", { tools: [{ type: "function", function: { name: "web_search" } }] }, []],
  ])("%s %j", (wire, body, fees) => {
    expect(feesAsked(wire, "m", membersIn(body))).toEqual(fees);
  });

  it("are part of some models", () => {
    for (const model of ["gpt-4o-search-preview", "openai/gpt-5.5:online"]) {
      expect(feesAsked("chat", model, membersIn({}))).toHaveLength(1);
    }
  });
});
