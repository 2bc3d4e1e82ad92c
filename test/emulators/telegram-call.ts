/** One request to the Bot API: a method with JSON, form or multipart parameters. */
import type http from "node:http";

export interface BotCall {
  path: string;
  method: string;
  params: Record<string, unknown>;
  /** Bytes of the files in it, by field. */
  files: Record<string, Uint8Array>;
  at: number;
}

export async function callOf(request: http.IncomingMessage): Promise<BotCall> {
  const url = new URL(request.url ?? "/", "http://telegram");
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  const { params, files } = await parametersOf(type, body);
  return {
    path: decodeURIComponent(url.pathname),
    method: url.pathname.split("/").at(-1) ?? "",
    params: { ...Object.fromEntries(url.searchParams), ...params },
    files,
    at: Date.now(),
  };
}

async function parametersOf(
  type: string,
  body: Buffer,
): Promise<{ params: Record<string, unknown>; files: Record<string, Uint8Array> }> {
  const files: Record<string, Uint8Array> = {};
  if (type.includes("json")) return { params: JSON.parse(body.toString() || "{}"), files };
  if (type.includes("urlencoded")) {
    return { params: Object.fromEntries(new URLSearchParams(body.toString())), files };
  }
  if (!type.includes("multipart")) return { params: {}, files };
  const bytes = Uint8Array.from(body);
  const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
  const params: Record<string, unknown> = {};
  for (const [name, value] of form) {
    if (typeof value === "string") params[name] = value;
    else files[name] = new Uint8Array(await value.arrayBuffer());
  }
  return { params, files };
}

/** As the Bot API answers: a result, or a code with a description. */
export function reply(status: number, content: unknown): { status: number; body: object } {
  return status === 200
    ? { status, body: { ok: true, result: content } }
    : { status, body: { ok: false, error_code: status, description: content } };
}
