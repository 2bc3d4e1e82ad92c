/** One request to Slack's Web API: a method with form, JSON or multipart parameters and a token. */
import type http from "node:http";

export interface SlackCall {
  method: string;
  params: Record<string, unknown>;
  /** As in `Authorization: Bearer`, or in the field `token`. */
  token: string | undefined;
  at: number;
}

export async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export async function callOf(request: http.IncomingMessage, path: string): Promise<SlackCall> {
  const url = new URL(request.url ?? "/", "http://slack");
  const body = (await bodyOf(request)).toString();
  const type = request.headers["content-type"] ?? "";
  const given = type.includes("json")
    ? (JSON.parse(body === "" ? "{}" : body) as Record<string, unknown>)
    : Object.fromEntries(new URLSearchParams(body));
  const { token, ...params } = { ...Object.fromEntries(url.searchParams), ...given };
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  return {
    method: path.replace(/^\/api\//, ""),
    params,
    token: bearer ?? (typeof token === "string" ? token : undefined),
    at: Date.now(),
  };
}

/** A file's bytes, posted as they are or as a form. */
export async function fileOf(request: http.IncomingMessage): Promise<Uint8Array> {
  const bytes = Uint8Array.from(await bodyOf(request));
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/")) return bytes;
  const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
  const file = [...form.values()].find((value) => typeof value !== "string");
  return new Uint8Array((await file?.arrayBuffer()) ?? new ArrayBuffer(0));
}

/** Structured arguments are JSON inside of a form. */
export function structured(value: unknown): unknown {
  return typeof value === "string" ? JSON.parse(value) : value;
}
