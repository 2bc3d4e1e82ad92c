import { describe, expect, it, test } from "vitest";
import { callFacts, changedBody } from "./call-facts.ts";
import { membersOf } from "./json-members.ts";
import type { WireName } from "./wire.ts";

const MODEL = "model-1";

function membersIn(json: string) {
  const members = membersOf(Uint8Array.from(new TextEncoder().encode(json)));
  if (members === undefined) throw new Error("an object is read");
  return members;
}

function factsOf(wire: WireName, json: string) {
  return callFacts(wire, MODEL, membersIn(json));
}

function changed(wire: WireName, json: string, wanted: { outputLimit?: number; obeyed?: string }) {
  const members = membersIn(json);
  const facts = callFacts(wire, MODEL, members);
  if (facts === undefined) throw new Error("it has facts");
  const body = changedBody(facts, members, { model: MODEL, obeyed: undefined, ...wanted });
  const result: unknown = JSON.parse(new TextDecoder().decode(body));
  return result;
}

describe("what may be written", () => {
  it.each<[WireName, string, number | undefined, number]>([
    ["chat", "{}", undefined, 1],
    ["chat", '{"max_tokens":7}', 7, 1],
    ["chat", '{"max_completion_tokens":1,"max_tokens":100000}', 100_000, 1],
    ["chat", '{"max_completion_tokens":null,"max_tokens":9,"n":3}', 27, 3],
    ["chat", '{"n":null}', undefined, 1],
    ["gemini", '{"generationConfig":{"maxOutputTokens":5,"candidateCount":2}}', 10, 2],
    ["gemini", '{"generation_config":{"max_output_tokens":5,"candidate_count":8}}', 40, 8],
    ["gemini", '{"generation_config":{"maxOutputTokens":5}}', 5, 1],
    ["gemini", '{"generationConfig":null}', undefined, 1],
    ["embeddings", '{"n":"x"}', undefined, 1],
  ])("%s %s", (wire, json, outputAsked, choices) => {
    expect(factsOf(wire, json)).toMatchObject({
      choices,
      ...(outputAsked === undefined ? {} : { outputAsked }),
    });
    expect(factsOf(wire, json)?.outputAsked).toBe(outputAsked);
  });

  it.each<[WireName, string]>([
    ["chat", '{"max_completion_tokens":1,"max_tokens":"7"}'],
    ["chat", '{"max_tokens":NaN}'],
    ["chat", '{"n":"8"}'],
    ["gemini", '{"generationConfig":{"maxOutputTokens":5},"generation_config":{}}'],
    ["gemini", '{"generationConfig":{"maxOutputTokens":5,"max_output_tokens":9}}'],
    ["gemini", '{"generationConfig":{"maxOutputTokens":5,"maxOutputTokens":9}}'],
    ["gemini", '{"generationConfig":{"maxOutputTokens":"9"}}'],
    ["gemini", '{"generationConfig":{"candidateCount":"8"}}'],
    ["gemini", '{"generationConfig":[]}'],
    ["chat", `{"models":["${MODEL}","dearer"]}`],
    ["messages", '{"fallbacks":[{"model":"dearer"}]}'],
  ])("is not guessed: %s %s", (wire, json) => {
    expect(factsOf(wire, json)).toBeUndefined();
  });

  it.each([`{"models":["${MODEL}"]}`, '{"models":[]}', '{"models":null}'])(
    "is known where no other model is named: %s",
    (json) => {
      expect(factsOf("chat", json)).toMatchObject({ model: MODEL });
    },
  );
});

describe("a lowered limit", () => {
  it.each<[WireName, string, string | undefined, object]>([
    ["chat", "{}", undefined, { max_completion_tokens: 50 }],
    ["chat", "{}", "max_tokens", { max_tokens: 50 }],
    ["chat", '{"max_tokens":900}', undefined, { max_tokens: 50 }],
    [
      "chat",
      '{"max_completion_tokens":900}',
      "max_tokens",
      { max_completion_tokens: 50, max_tokens: 50 },
    ],
    [
      "chat",
      '{"max_completion_tokens":1,"max_tokens":900}',
      undefined,
      { max_completion_tokens: 50, max_tokens: 50 },
    ],
    [
      "chat",
      '{"max_completion_tokens":null,"max_tokens":900}',
      undefined,
      { max_completion_tokens: null, max_tokens: 50 },
    ],
    ["responses", "{}", "max_tokens", { max_output_tokens: 50 }],
    ["gemini", "{}", undefined, { generationConfig: { maxOutputTokens: 50 } }],
    [
      "gemini",
      '{"generation_config":{"max_output_tokens":900,"topK":1}}',
      undefined,
      { generation_config: { max_output_tokens: 50, topK: 1 } },
    ],
  ])("of %s %s is one that the server follows (%s)", (wire, json, obeyed, expected) => {
    const more = obeyed === undefined ? {} : { obeyed };
    expect(changed(wire, json, { outputLimit: 50, ...more })).toEqual(expected);
  });
});

test.each<[WireName, string, string | undefined, object]>([
  [
    "chat",
    '{"max_completion_tokens":90,"n":2}',
    "max_tokens",
    { max_completion_tokens: 90, max_tokens: 90, n: 2 },
  ],
  ["chat", '{"max_completion_tokens":90}', undefined, { max_completion_tokens: 90 }],
  ["chat", '{"max_tokens":90}', "max_tokens", { max_tokens: 90 }],
  ["chat", "{}", "max_tokens", {}],
  ["messages", '{"max_tokens":90}', "max_tokens", { max_tokens: 90 }],
])("a limit is named where the server looks for it: %s %s %s", (wire, json, obeyed, expected) => {
  expect(changed(wire, json, obeyed === undefined ? {} : { obeyed })).toEqual(expected);
});

test.each([
  ['{"stream":true}', { include_usage: true }],
  ['{"stream":true,"stream_options":null}', { include_usage: true }],
  ['{"stream":true,"stream_options":{"include_usage":false,"x":1}}', { include_usage: true, x: 1 }],
  ['{"stream":true,"stream_options":{}}', { include_usage: true }],
  ['{"stream":false,"stream_options":{}}', {}],
])("a stream of Chat Completions tells its usage: %s", (json, stream_options) => {
  expect(changed("chat", json, {})).toMatchObject({ stream_options });
});

describe("what may be read", () => {
  it.each([
    '{"image_url":{"url":"https://x"}}',
    '{"url":"\\u0068ttps://x"}',
    '{"\\u0075rl":" HTTPS://x"}',
    '{"url":"https:\\/\\/x"}',
    '{"url":"\\nhttps://x"}',
    '{"video_url":{"url":"data:video/mp4;base64,x"}}',
    '{"cached_content":"cachedContents/1"}',
    '{"fileUri":"files/1"}',
    '{"web_search_options":{}}',
    '{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"x"}}',
    '{"inlineData":{"mimeType":"video/mp4","data":"x"}}',
    '{"input_audio":{"data":"x","format":"wav"}}',
    '{"file_data":"data:application/pdf;base64,x"}',
    '{"tools":[{"type":"web_search_20250305"}]}',
    '{"context_management":{"edits":[{"type":"compact_20260112"}]}}',
  ])("is more than its bytes: %s", (json) => {
    expect(factsOf("chat", json)).toMatchObject({ remote: true });
  });

  it.each([
    '{"content":"say \\"url\\":\\"https://x\\""}',
    '{"content":"\\\\u0068ttps \\u001b \\u003c"}',
    '{"response_mime_type":"application/json"}',
    '{"tools":[{"name":"web_search","input_schema":{"properties":{"url":{"type":"string"}}}}]}',
  ])("is its bytes: %s", (json) => {
    expect(factsOf("messages", json)).toMatchObject({
      remote: false,
      inputBytes: json.length + 2048,
    });
  });

  it.each([
    ['[{"type":"image_url","image_url":{"url":"data:image/png;base64,x"}}]', 1],
    ['[{"type" : "input_image"},{"type":"image","source":{"media_type":"image/png"}}]', 2],
    ['[{"inlineData":{"mimeType":"image/png"}},{"inline_data":{"mime_type":"image/png"}}]', 2],
    ['[{"type":"im\\u0061ge"}]', 1],
    ['["type image"]', undefined],
  ])("counts pictures: %s", (json, images) => {
    expect(factsOf("chat", `{"content":${json}}`)?.images).toBe(images);
  });
});
