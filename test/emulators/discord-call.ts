/** One request to Discord's REST API: JSON, or a form with files. */
import type http from "node:http";

/** A call of the bot's REST API. */
export interface RestCall {
  at: number;
  method: string;
  /** Below `/api/v10`. */
  path: string;
  authorization: string | undefined;
  body: unknown;
  files: Uint8Array[];
}

export async function callOf(request: http.IncomingMessage): Promise<RestCall> {
  const { pathname, search } = new URL(request.url ?? "/", "http://x");
  const { body, files } = await bodyOf(request);
  return {
    at: Date.now(),
    method: request.method ?? "",
    path: `${pathname.replace(/^\/api\/v10/, "")}${search}`,
    authorization: request.headers.authorization,
    body,
    files,
  };
}

/** JSON, or a form whose `payload_json` is that and whose `files[n]` are files. */
async function bodyOf(request: http.IncomingMessage): Promise<Pick<RestCall, "body" | "files">> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const content = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) {
    return {
      body: content.length === 0 ? undefined : parseJson(content.toString("utf8")),
      files: [],
    };
  }
  const form = await new Response(content, { headers: { "content-type": type } }).formData();
  const payload = form.get("payload_json");
  const files: Uint8Array[] = [];
  for (const [, value] of form) if (typeof value !== "string") files.push(await value.bytes());
  return { body: typeof payload === "string" ? parseJson(payload) : {}, files };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
