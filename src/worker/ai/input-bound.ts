/**
 * What a request's own bytes say about how much the model will read. Pure. A token is at least one
 * byte of text; what is not text, or lies elsewhere, is bounded by what it can be.
 */

export interface InputFacts {
  /** It names content that is kept elsewhere or played, or tools that fetch some: its size says little. */
  remote: boolean;
  /** Of pictures, wherever they are kept. */
  images: number;
}

interface Rule {
  remote?: RegExp;
  image?: RegExp;
}

const ANY: Rule = { remote: /^/ };
const KEPT: Rule = { remote: /^["{]/ };
const ADDRESS: Rule = { remote: /^"(?:[\s\\]|(?:https?|gs|s3):|data:(?!image\/))/i };
/** A page, or a second of sound or film, can be more tokens than bytes. */
const PLAYED = /^"(?:application|audio|video)\//i;

const RULES: ReadonlyMap<string, Rule> = new Map([
  [
    "type",
    {
      remote:
        /^"(?:web_search|web_fetch|x_search|code_execution|code_interpreter|computer_use|file_search|mcp|image_generation|openrouter:|compact_|advisor_)/,
      image: /^"(?:image_url|input_image|image|computer_screenshot)"/,
    },
  ],
  ["media_type", { remote: PLAYED }],
  ...["mimeType", "mime_type"].map((name): [string, Rule] => [
    name,
    { remote: PLAYED, image: /^"image\//i },
  ]),
  ...["url", "image_url", "file_url"].map((name): [string, Rule] => [name, ADDRESS]),
  ...[
    "previous_response_id",
    "conversation",
    "file_id",
    "cachedContent",
    "cached_content",
    "container",
  ].map((name): [string, Rule] => [name, KEPT]),
  ...[
    "fileUri",
    "file_uri",
    "file_data",
    "input_audio",
    "plugins",
    "web_search_options",
    "search_parameters",
    "googleSearch",
    "google_search",
    "googleSearchRetrieval",
    "google_search_retrieval",
    "googleMaps",
    "google_maps",
    "urlContext",
    "url_context",
    "codeExecution",
    "code_execution",
    "fileSearch",
    "file_search",
  ].map((name): [string, Rule] => [name, ANY]),
]);
/** One pass for all of them: a body may be megabytes. */
const MEMBER = new RegExp(`"(${[...RULES.keys()].join("|")})"\\s*:\\s*`, "g");
/** No rule looks further. */
const VALUE_CHARS = 40;

/** @param text a request's body, as it came */
export function inputFacts(text: string): InputFacts {
  const plain = withoutEscapes(text);
  let remote = false;
  let images = 0;
  for (const found of plain.matchAll(MEMBER)) {
    const rule = RULES.get(found[1] ?? "");
    const at = found.index + found[0].length;
    const value = plain.slice(at, at + VALUE_CHARS);
    remote ||= rule?.remote?.test(value) ?? false;
    if (rule?.image?.test(value) === true) images += 1;
  }
  return { remote, images };
}

/** What JSON lets one write as an escape, although it need not be one, is written out. */
function withoutEscapes(text: string): string {
  if (!text.includes("\\u00")) return text;
  return text.replace(/\\u00([2-7][\da-f])/gi, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return character === '"' || character === "\\" ? escape : character;
  });
}
