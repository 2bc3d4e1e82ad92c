/** A path of the Docker API: what it is called with and how it answers. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "./refusal.ts";

const LARGEST_BODY = 1024 * 1024;

export type Call = {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  /** What the route's groups matched. */
  path: string[];
};

export type Answer = { status: number; body?: unknown };

export type Route = {
  method: string;
  path: RegExp;
  /** Undefined when it has answered by itself. */
  run: (call: Call) => Answer | undefined | Promise<Answer | undefined>;
};

export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LARGEST_BODY) throw new Refusal(413, "The request is too large");
    chunks.push(bytes);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : JSON.parse(text);
}
