import { describe, expect, it } from "vitest";
import { callFacts } from "./call-facts.ts";
import { membersOf } from "./json-members.ts";
import type { WireName } from "./wire.ts";

const DATA = "A".repeat(400_000);
const URL = `data:image/png;base64,${DATA}`;

function factsOf(wire: WireName, body: object) {
  const bytes = Uint8Array.from(new TextEncoder().encode(JSON.stringify({ model: "m", ...body })));
  const members = membersOf(bytes);
  if (members === undefined) throw new Error("an object is read");
  return callFacts(wire, "m", members);
}

const image = { type: "image", source: { type: "base64", media_type: "image/png", data: DATA } };

describe("a picture in the request", () => {
  it.each<[string, WireName, object]>([
    ["Anthropic's", "messages", { messages: [{ role: "user", content: [image] }] }],
    [
      "a tool's",
      "messages",
      { messages: [{ role: "user", content: [{ type: "tool_result", content: [image] }] }] },
    ],
    [
      "Chat Completions'",
      "chat",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: URL } }] }] },
    ],
    [
      "Responses'",
      "responses",
      { input: [{ role: "user", content: [{ type: "input_image", image_url: URL }] }] },
    ],
    [
      "Gemini's",
      "gemini",
      { contents: [{ parts: [{ inlineData: { mimeType: "image/png", data: DATA } }] }] },
    ],
    [
      "Gemini's in the other spelling",
      "gemini-stream",
      { contents: [{ parts: [{ inline_data: { mime_type: "image/png", data: DATA } }] }] },
    ],
  ])("counts as a picture, and its bytes not as text: %s", (_name, wire, body) => {
    const facts = factsOf(wire, body);
    expect(facts).toMatchObject({ images: 1, remote: false });
    expect(facts?.inputBytes).toBeLessThan(3000);
  });

  it.each<[string, object]>([
    [
      "what a tool is asked",
      { messages: [{ content: [{ type: "tool_use", input: { content: [image] } }] }] },
    ],
    [
      "a text beside it",
      { messages: [{ content: [{ type: "text", text: DATA }, { type: "image" }] }] },
    ],
    [
      "a text in it",
      { messages: [{ content: [{ type: "image", source: { type: "text", data: DATA } }] }] },
    ],
    ["the system's prompt", { system: [image] }],
    [
      "a text that calls itself a picture",
      { messages: [{ content: [{ ...image, source: { ...image.source, data: `${DATA} a b` } }] }] },
    ],
    [
      "a drawing, which is text",
      {
        messages: [
          { content: [{ ...image, source: { ...image.source, media_type: "image/svg+xml" } }] },
        ],
      },
    ],
    [
      "a text in a picture's place",
      {
        messages: [
          { content: [{ ...image, source: { ...image.source, media_type: "text/plain" } }] },
        ],
      },
    ],
    [
      "an address with a drawing in it",
      {
        messages: [
          {
            content: [
              { type: "image_url", image_url: { url: `data:image/svg+xml,<svg>${DATA}</svg>` } },
            ],
          },
        ],
      },
    ],
    [
      "a text that is shown as a file",
      { messages: [{ content: [{ ...image, type: "document" }] }] },
    ],
  ])("does not take %s for one", (_name, body) => {
    expect(factsOf("messages", body)?.inputBytes).toBeGreaterThan(DATA.length);
  });
});
