/** Stands for the Worker behind the sandbox's proxy: takes reports, and answers as a model. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import * as z from "zod";
import type { Report } from "../../src/protocol/control.ts";
import { report } from "../../src/protocol/control.ts";

export interface SandboxProxy {
  /** For HTTP_PROXY. */
  url: string;
  /** An OpenAI-compatible base URL. */
  modelUrl: string;
  reports: readonly { report: Report; authorization: string | undefined }[];
  /** While true, reports get 503. */
  failing: boolean;
  close(): Promise<void>;
}

const chatRequest = z.looseObject({ model: z.string(), stream: z.boolean().optional() });

export const MODEL_ANSWER = "the tide comes in";

export async function startSandboxProxy(): Promise<SandboxProxy> {
  const reports: { report: Report; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    void answer(request).then(({ status, type, body }) => {
      response.writeHead(status, { "content-type": type });
      response.end(body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const url = `http://127.0.0.1:${address.port}`;

  async function answer(request: IncomingMessage) {
    const body = await text(request);
    if (request.url === "http://control.moltworker.internal/v1/report") {
      if (proxy.failing) return { status: 503, type: "text/plain", body: "" };
      const { authorization } = request.headers;
      reports.push({ report: report.parse(JSON.parse(body)), authorization });
      return { status: 204, type: "text/plain", body: "" };
    }
    if (request.url === "/v1/chat/completions") {
      const { model, stream } = chatRequest.parse(JSON.parse(body));
      return stream === true
        ? { status: 200, type: "text/event-stream", body: chunks(model) }
        : { status: 200, type: "application/json", body: JSON.stringify(completion(model)) };
    }
    return { status: 404, type: "text/plain", body: "" };
  }

  const proxy: SandboxProxy = {
    url,
    modelUrl: `${url}/v1`,
    reports,
    failing: false,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

const usage = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 };

function completion(model: string): object {
  const message = { role: "assistant", content: MODEL_ANSWER };
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_770_000_000,
    model,
    usage,
    choices: [{ index: 0, message, finish_reason: "stop" }],
  };
}

function chunks(model: string): string {
  const chunk = {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1_770_000_000,
    model,
  };
  const events = [
    { ...chunk, choices: [{ index: 0, delta: { role: "assistant", content: "the tide " } }] },
    { ...chunk, choices: [{ index: 0, delta: { content: "comes in" } }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
    { ...chunk, choices: [], usage },
  ];
  return [...events.map((event) => JSON.stringify(event)), "[DONE]"]
    .map((data) => `data: ${data}\n\n`)
    .join("");
}
