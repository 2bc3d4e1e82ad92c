/**
 * Google's Gemini API as its public reference describes it: https://ai.google.dev/api/generate-content,
 * …/api/embeddings, …/api/tokens and …/api/models.
 */
import { jsonAnswer, startEmulator, streamAnswer } from "../support/ai-emulator.ts";
import type { Answer, Emulator, Recorded } from "../support/ai-emulator.ts";

const MODEL = { name: "models/gemini-3.5-flash", displayName: "Gemini 3.5 Flash" };
const TEXT = ["Hello", "!", " 你好"];
const USAGE = {
  promptTokenCount: 40,
  cachedContentTokenCount: 10,
  candidatesTokenCount: 12,
  thoughtsTokenCount: 30,
  totalTokenCount: 82,
};

export function startGemini(): Promise<Emulator> {
  return startEmulator({ answer, error });
}

function answer({ path, headers, method }: Recorded): Answer {
  if (headers["x-goog-api-key"] === undefined) return error(403, "Method doesn't allow callers");
  const url = new URL(path, "http://emulator");
  const [, model = "", action = ""] =
    /^\/v1beta\/models(?:\/([\w.-]+?))?(?::(\w+))?$/.exec(url.pathname) ?? [];
  if (method === "GET") return jsonAnswer(200, model === "" ? { models: [MODEL] } : MODEL);
  switch (action) {
    case "generateContent":
      return jsonAnswer(200, chunk(model, TEXT.join(""), true));
    case "streamGenerateContent": {
      const chunks = TEXT.map((text, index) => chunk(model, text, index === TEXT.length - 1));
      return url.searchParams.get("alt") === "sse"
        ? streamAnswer(chunks.map((each) => `data: ${JSON.stringify(each)}\r\n\r\n`))
        : {
            status: 200,
            headers: { "content-type": "application/json; charset=UTF-8" },
            chunks: ["[", chunks.map((each) => JSON.stringify(each)).join(",\r\n"), "]"],
          };
    }
    case "countTokens":
      return jsonAnswer(200, { totalTokens: 40 });
    case "embedContent":
      return jsonAnswer(200, { embedding: { values: [0.25, -0.5] } });
    default:
      return error(404, "Requested entity was not found.");
  }
}

function chunk(model: string, text: string, last: boolean): object {
  return {
    candidates: [
      {
        content: { parts: [{ text }], role: "model" },
        index: 0,
        ...(last ? { finishReason: "STOP" } : {}),
      },
    ],
    usageMetadata: last ? USAGE : { promptTokenCount: 40, totalTokenCount: 40 },
    modelVersion: model,
    responseId: "r-1",
  };
}

function error(code: number, message: string): Answer {
  const status = code === 429 ? "RESOURCE_EXHAUSTED" : code === 404 ? "NOT_FOUND" : "UNAVAILABLE";
  return jsonAnswer(code, { error: { code, message, status } });
}
