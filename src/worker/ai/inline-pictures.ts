/**
 * Pictures that stand in a request itself, in the places where a provider looks for one. Pure. Their bytes
 * are no text: each is bounded by what a picture can come to, however many bytes it has.
 */
import { isObject, type Json } from "./json.ts";
import { member, type Members } from "./json-members.ts";

/** What is drawn by text is read as text. */
const PICTURE = /^image\/(?!svg)[a-z0-9.+-]{1,40}$/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const DATA_URL = /^data:([^;,]{1,60});base64,/i;

const LISTS = ["messages", "input", "contents"] as const;

export interface InlinePictures {
  count: number;
  /** Of all of them, as they are encoded. */
  bytes: number;
}

export function inlinePictures(members: Members): InlinePictures {
  const found: InlinePictures = { count: 0, bytes: 0 };
  for (const block of LISTS.flatMap((name) => blocksOf(objectsIn(member(members, name))))) {
    const data = pictureIn(block);
    if (data === undefined) continue;
    found.count += 1;
    found.bytes += data.length;
  }
  return found;
}

/** What a tool came to may hold pictures; what a tool is asked is text, whatever it looks like. */
function blocksOf(turns: readonly Json[]): Json[] {
  return turns
    .flatMap(({ content, parts }) => objectsIn(content ?? parts))
    .flatMap((block) => (block["type"] === "tool_result" ? objectsIn(block["content"]) : [block]));
}

function pictureIn(block: Json): string | undefined {
  switch (block["type"]) {
    case "image": {
      const source = block["source"];
      if (!isObject(source) || source["type"] !== "base64") return undefined;
      return picture(source["media_type"], source["data"]);
    }
    case "image_url": {
      const image = block["image_url"];
      return isObject(image) ? dataUrl(image["url"]) : undefined;
    }
    case "input_image":
      return dataUrl(block["image_url"]);
    case undefined: {
      const inline = block["inlineData"] ?? block["inline_data"];
      if (!isObject(inline)) return undefined;
      return picture(inline["mimeType"] ?? inline["mime_type"], inline["data"]);
    }
    default:
      return undefined;
  }
}

function dataUrl(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const [head = "", type] = DATA_URL.exec(value) ?? [];
  return picture(type, value.slice(head.length)) === undefined ? undefined : value;
}

/** The picture as it is encoded; undefined for what is none, whatever it calls itself. */
function picture(type: unknown, data: unknown): string | undefined {
  if (typeof type !== "string" || typeof data !== "string") return undefined;
  return PICTURE.test(type) && BASE64.test(data) ? data : undefined;
}

function objectsIn(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
