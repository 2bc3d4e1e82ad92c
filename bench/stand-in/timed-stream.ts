/**
 * A model that streams in Anthropic's format (https://docs.claude.com/en/api/messages-streaming) at a
 * steady pace; each delta says when it left, by this process's clock.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface TimedStream {
  url: string;
  close(): Promise<void>;
}

export async function startTimedStream(events: number, paceMs: number): Promise<TimedStream> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      stream(response).catch(() => response.destroy());
    });
  });

  async function stream(response: ServerResponse): Promise<void> {
    response.writeHead(200, { "content-type": "text/event-stream" });
    send(response, "message_start", {
      message: { model: "claude-opus-5", usage: { input_tokens: 9 } },
    });
    for (let n = 0; n < events && !response.destroyed; n += 1) {
      await sleep(paceMs);
      send(response, "content_block_delta", {
        delta: { type: "text_delta", text: `@${performance.now()}@` },
      });
    }
    send(response, "message_delta", { usage: { output_tokens: events } });
    send(response, "message_stop", {});
    response.end();
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, type: string, data: object): void {
  response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}

/** How long each delta of a chunk was on its way, in milliseconds. */
export function delays(chunk: string, now: number): number[] {
  return [...chunk.matchAll(/@([\d.]+)@/g)].map(([, at]) => now - Number(at));
}
