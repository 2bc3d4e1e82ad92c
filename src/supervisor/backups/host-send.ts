/** The default agent, because on engines with a proxy it is the one that knows of it. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "../http.ts";
import type { Send } from "./host-client.ts";

export const sendToHost: Send = async ({ url, method, headers, body, signal }) => {
  const request = httpRequest(url, { method, headers, signal });
  const answered = once(request, "response");
  request.end(body);
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new Error("no response");
  const chunks: Buffer[] = [];
  // Plain events: a pack comes in hundreds of pieces, and each would cost a promise.
  response.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(response, "end");
  if (!response.complete) throw new Error("the answer broke off");
  return { status: response.statusCode ?? 500, bytes: Buffer.concat(chunks) };
};
