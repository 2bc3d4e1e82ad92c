import type { IncomingMessage, ServerResponse } from "node:http";
import type * as z from "zod";

export type Body<T> = { ok: true; value: T } | { ok: false; status: 400 | 413; reason: string };

/** Reads a JSON body of at most `maxBytes` and checks its shape. */
export async function readBody<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  maxBytes: number,
): Promise<Body<T>> {
  const text = await readText(request, maxBytes);
  if (text === undefined) return { ok: false, status: 413, reason: "body-too-large" };
  let json: unknown;
  try {
    json = text === "" ? {} : JSON.parse(text);
  } catch {
    return { ok: false, status: 400, reason: "not-json" };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  // The path names a field; the value, which may be a token, is not repeated.
  return { ok: false, status: 400, reason: `malformed: ${issue?.path.join(".") ?? ""}` };
}

/** Undefined when it is longer. What is too much is read and dropped, so that the answer arrives. */
function readText(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", reject);
  });
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
